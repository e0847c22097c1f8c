// npm run eval:search [-- FOLDER]: how well the search finds the right tools, on sets of tools and queries.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadStaticEmbedder } from '#search/static-embedder'
import { createSearchIndex, type SearchMode } from '#search/search-index'
import { interval, mean, scoresOf, type Scores } from './metrics.ts'

const ROOT = join(import.meta.dirname, '..')
const MODES: readonly SearchMode[] = ['keyword', 'semantic', 'hybrid']

interface Tool {
  readonly id: string
  readonly server: string
  readonly serverTitle?: string
  readonly serverDescription?: string
  readonly name: string
  readonly description?: string
  readonly inputSchema?: { readonly properties?: Readonly<Record<string, { readonly description?: unknown }>> }
}

interface Query {
  readonly text: string
  readonly relevant: readonly string[]
  readonly groups?: readonly (readonly string[])[]
}

interface Outcome {
  readonly scores: readonly Scores[]
  readonly p50: number
  readonly p95: number
}

function lines<T>(path: string): T[] {
  const texts = readFileSync(path, 'utf8').trim().split('\n')
  return texts.map((text) => JSON.parse(text) as T)
}

function indexOf(tools: readonly Tool[]) {
  const index = createSearchIndex(loadStaticEmbedder(join(ROOT, 'assets/static-embeddings')))
  for (const [slot, tool] of tools.entries()) {
    const properties = Object.entries(tool.inputSchema?.properties ?? {})
    index.add(slot, {
      server: tool.serverTitle ?? tool.server,
      serverText: tool.serverDescription ?? '',
      name: tool.name,
      description: tool.description ?? '',
      parameterNames: properties.map(([name]) => name),
      parameterTexts: properties.map(([, { description }]) => (typeof description === 'string' ? description : '')),
    })
  }
  return { index, scope: index.scope(new Set(tools.keys())) }
}

function evaluate(folder: string): Map<SearchMode, Outcome> {
  const tools = lines<Tool>(join(folder, 'tools.jsonl'))
  const queries = lines<Query>(join(folder, 'queries.jsonl'))
  const { index, scope } = indexOf(tools)
  return new Map(
    MODES.map((mode) => {
      const times: number[] = []
      const scores = queries.map(({ text, relevant, groups = relevant.map((id) => [id]) }) => {
        const startedAt = performance.now()
        const hits = index.search(text, mode, scope)
        times.push(performance.now() - startedAt)
        const ranks = new Map(hits.slice(0, 10).map(({ slot }, rank) => [tools[slot]?.id, rank]))
        return scoresOf(groups.map((group) => Math.min(...group.map((id) => ranks.get(id) ?? Infinity))))
      })
      times.sort((a, b) => a - b)
      const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN
      return [mode, { scores, p50: at(0.5), p95: at(0.95) }]
    }),
  )
}

function row(mode: SearchMode, { scores, p50, p95 }: Outcome, baseline: readonly Scores[]): string {
  const names = ['r1', 'r3', 'r5', 'r10', 'mrr10', 'ndcg5', 'ndcg10', 'c10'] as const
  const figures = names.map((name) => mean(scores.map((each) => each[name])).toFixed(3))
  const [low, high] = interval(scores.map(({ ndcg5 }, query) => ndcg5 - (baseline[query]?.ndcg5 ?? 0)))
  const gain = mode === 'keyword' ? '–' : `${low.toFixed(3)} to ${high.toFixed(3)}`
  return `| ${[mode, ...figures, gain, p50.toFixed(1), p95.toFixed(1)].join(' | ')} |`
}

const root = process.argv[2] ?? join(ROOT, '../shared/data/toolsearch')
if (!existsSync(root)) throw new Error(`${root} is not there; name a folder of sets`)
for (const set of readdirSync(root)) {
  const outcomes = evaluate(join(root, set))
  console.log(`\n### ${set}\n`)
  console.log(
    '| mode | R@1 | R@3 | R@5 | R@10 | MRR@10 | nDCG@5 | nDCG@10 | C@10 | nDCG@5 beyond keyword | p50 ms | p95 ms |',
  )
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |')
  const baseline = outcomes.get('keyword')?.scores ?? []
  for (const [mode, outcome] of outcomes) console.log(row(mode, outcome, baseline))
}
