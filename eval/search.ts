// npm run eval:search [-- FOLDER]: how well the search finds the right tools, on sets of tools and queries.
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { digest } from '#kernel/seal'
import type { SearchMode } from '#search/fusion'
import { interval, mean, scoresOf, type Scores } from './metrics.ts'
import { openToolSet, type Query, type ToolSet } from './tool-set.ts'

const ROOT = join(import.meta.dirname, '..')
/** Vectors that were computed once: a set of 4,000 tools takes two minutes. */
const KEPT = join(ROOT, '.cache/eval')
const MODES: readonly SearchMode[] = ['keyword', 'semantic', 'hybrid']
const EMBEDDERS = ['static', 'minilm'] as const

interface Outcome {
  readonly scores: readonly Scores[]
  readonly p50: number
  readonly p95: number
}

async function evaluate(set: ToolSet, mode: SearchMode): Promise<Outcome> {
  const times: number[] = []
  const scores: Scores[] = []
  for (const { text, groups } of set.queries) {
    const startedAt = performance.now()
    const found = await set.find(text, mode)
    times.push(performance.now() - startedAt)
    const ranks = new Map(found.map((id, rank) => [id, rank]))
    scores.push(scoresOf(groups.map((group) => Math.min(...group.map((id) => ranks.get(id) ?? Infinity)))))
  }
  times.sort((a, b) => a - b)
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN
  return { scores, p50: at(0.5), p95: at(0.95) }
}

function row(mode: string, { scores, p50, p95 }: Outcome, baseline: readonly Scores[]): string {
  const names = ['r1', 'r3', 'r5', 'r10', 'mrr10', 'ndcg5', 'ndcg10', 'c10'] as const
  const figures = names.map((name) => mean(scores.map((each) => each[name])).toFixed(3))
  const [low, high] = interval(scores.map(({ ndcg5 }, query) => ndcg5 - (baseline[query]?.ndcg5 ?? 0)))
  const gain = mode === 'keyword' ? '–' : `${low.toFixed(3)} to ${high.toFixed(3)}`
  return `| ${[mode, ...figures, gain, p50.toFixed(1), p95.toFixed(1)].join(' | ')} |`
}

async function report(folder: string, name: string): Promise<void> {
  console.log(`\n### ${name}\n`)
  console.log(
    '| mode | R@1 | R@3 | R@5 | R@10 | MRR@10 | nDCG@5 | nDCG@10 | C@10 | nDCG@5 beyond keyword | p50 ms | p95 ms |',
  )
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |')
  let baseline: readonly Scores[] = []
  for (const embedder of EMBEDDERS) {
    await using set = await openToolSet(folder, embedder, join(KEPT, `${name}.db`))
    await set.complete()
    for (const mode of MODES) {
      if (mode === 'keyword' && baseline.length > 0) continue
      const outcome = await evaluate(set, mode)
      if (mode === 'keyword') baseline = outcome.scores
      console.log(row(mode === 'keyword' ? mode : `${mode}, ${embedder}`, outcome, baseline))
    }
  }
}

const TAUGHT = 3
const SEEDS = [1, 2, 3]

/** R@1 of queries before and after others for the same tools have been searched and their tool called. */
async function reportLearning(folder: string, name: string): Promise<void> {
  for (const embedder of EMBEDDERS) {
    const before: number[] = []
    const after: number[] = []
    for (const seed of SEEDS) {
      await using set = await openToolSet(folder, embedder, join(KEPT, `${name}.db`))
      await set.complete()
      const [taught, held] = split(set.queries, seed)
      if (held.length === 0) return
      for (const query of held) before.push(await isFirst(set, query))
      for (const query of taught) {
        await set.find(query.text, 'hybrid')
        set.call(query.groups[0]?.[0] ?? '')
      }
      await set.complete()
      for (const query of held) after.push(await isFirst(set, query))
    }
    const [low, high] = interval(after.map((value, index) => value - (before[index] ?? 0)))
    const figures = [before, after].map((values) => mean(values).toFixed(3))
    console.log(
      `\n${embedder}: R@1 of ${before.length} held-out queries ${figures.join(' → ')} after ${TAUGHT} lessons a tool (${low.toFixed(3)} to ${high.toFixed(3)})`,
    )
  }
}

async function isFirst(set: ToolSet, { text, groups }: Query): Promise<number> {
  const [first = ''] = await set.find(text, 'hybrid', 1)
  return Number(groups[0]?.includes(first))
}

/** Of each tool with enough queries some to teach with, and the rest. */
function split(queries: readonly Query[], seed: number): [taught: Query[], held: Query[]] {
  const single = queries.filter(({ groups }) => groups.length === 1 && groups[0]?.length === 1)
  const order = (query: Query): string => digest(`${seed} ${query.text}`)
  const byTool = Map.groupBy(
    single.toSorted((a, b) => order(a).localeCompare(order(b))),
    ({ groups }) => groups[0]?.[0],
  )
  const enough = [...byTool.values()].filter((own) => own.length > TAUGHT)
  return [enough.flatMap((own) => own.slice(0, TAUGHT)), enough.flatMap((own) => own.slice(TAUGHT))]
}

const root = process.argv[2] ?? join(ROOT, '../shared/data/toolsearch')
if (!existsSync(root)) throw new Error(`${root} is not there; name a folder of sets`)
mkdirSync(KEPT, { recursive: true })
for (const name of readdirSync(root)) {
  await report(join(root, name), name)
  await reportLearning(join(root, name), name)
}
