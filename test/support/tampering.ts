import { sql } from 'kysely'
import type { Engine } from '#storage/schema'

interface Block {
  readonly seq: number
  readonly records: number
  readonly oldest_at: number
  readonly newest_at: number
  readonly lines: readonly string[]
}

/** Writes a chain anew as somebody would who has the database. */
async function rewrite({ db }: Engine, tenant: string, change: (block: Block) => readonly Block[]): Promise<void> {
  const rows = await db.selectFrom('audit_blocks').selectAll().where('tenant', '=', tenant).orderBy('seq').execute()
  await db.deleteFrom('audit_blocks').where('tenant', '=', tenant).execute()
  for (const { body, ...row } of rows)
    for (const { lines, ...changed } of change({ ...row, lines: body.split('\n') }))
      await db
        .insertInto('audit_blocks')
        .values({ tenant, ...changed, body: lines.join('\n') })
        .execute()
}

const firstOf = ({ seq, records }: Block): number => seq - records + 1

interface Spot {
  readonly seq: number
  readonly size: number
}

type Tamper = (engine: Engine, tenant: string, spot: Spot) => Promise<number>

/** Puts other lines in the place of one. */
function inPlaceOf(linesFor: (line: string) => readonly string[]) {
  return (engine: Engine, tenant: string, at: number) =>
    rewrite(engine, tenant, (block) => [
      {
        ...block,
        lines: block.lines.flatMap((line, index) => (firstOf(block) + index === at ? linesFor(line) : [line])),
      },
    ])
}

/** Puts something else in the place of the block that holds a record; answers the first record of that block. */
async function ofBlock(engine: Engine, tenant: string, at: number, change: (block: Block) => Block[]): Promise<number> {
  let first = 0
  await rewrite(engine, tenant, (block) => {
    if (at < firstOf(block) || at > block.seq) return [block]
    first = firstOf(block)
    return change(block)
  })
  return first
}

const lineOf = async ({ db }: Engine, tenant: string, at: number): Promise<string> => {
  const later = db.selectFrom('audit_blocks').selectAll().where('tenant', '=', tenant).where('seq', '>=', at)
  const { seq, body } = await later.orderBy('seq').executeTakeFirstOrThrow()
  return body.split('\n').at(at - seq - 1) ?? ''
}

/** What can be done to a chain; each answers the number of the record that must be told. */
export const TAMPER = {
  async edit(engine, tenant, { seq }) {
    await inPlaceOf((line) => [line.replace('alice', 'mally')])(engine, tenant, seq)
    return seq
  },
  async alter(engine, tenant, { seq }) {
    await inPlaceOf((line) => [line.replace('"surface":"mcp"', '"surface":"rest"')])(engine, tenant, seq)
    return seq
  },
  async renumber(engine, tenant, { seq }) {
    await inPlaceOf((line) => [line.replace(`{"seq":${seq},`, `{"seq":${seq + 1},`)])(engine, tenant, seq)
    return seq
  },
  async garble(engine, tenant, { seq }) {
    await inPlaceOf((line) => [line.slice(0, -1)])(engine, tenant, seq)
    return seq
  },
  async delete(engine, tenant, { seq }) {
    await inPlaceOf(() => [])(engine, tenant, seq)
    return seq
  },
  async deleteAndCount(engine, tenant, { seq }) {
    await ofBlock(engine, tenant, seq, (block) => {
      const lines = block.lines.toSpliced(seq - firstOf(block), 1)
      return lines.length === 0 ? [] : [{ ...block, seq: block.seq - 1, records: block.records - 1, lines }]
    })
    return seq
  },
  async deleteBlock(engine, tenant, { seq }) {
    return ofBlock(engine, tenant, seq, () => [])
  },
  async swap(engine, tenant, { seq, size }) {
    const other = (seq % size) + 1
    const [one, two] = [await lineOf(engine, tenant, seq), await lineOf(engine, tenant, other)]
    await inPlaceOf(() => [two])(engine, tenant, seq)
    await inPlaceOf(() => [one])(engine, tenant, other)
    return Math.min(seq, other)
  },
  async insert(engine, tenant, { seq }) {
    await inPlaceOf((line) => [line, line])(engine, tenant, seq)
    // The copy of a record stands where it stood; what comes after it is not in its place.
    return seq + 1
  },
  async truncate(engine, tenant, { seq }) {
    await rewrite(engine, tenant, (block) => {
      const records = Math.min(block.records, seq - firstOf(block))
      const end = firstOf(block) + records - 1
      return records > 0 ? [{ ...block, seq: end, records, lines: block.lines.slice(0, records) }] : []
    })
    return seq
  },
  async append(engine, tenant, { size }) {
    await ofBlock(engine, tenant, size, (block) => [
      block,
      { ...block, seq: size + 1, records: 1, lines: block.lines.slice(-1) },
    ])
    return size + 1
  },
  async hide(engine, tenant, { seq }) {
    return ofBlock(engine, tenant, seq, (block) => [{ ...block, newest_at: block.oldest_at - 1 }])
  },
  async date(engine, tenant, { seq }) {
    return ofBlock(engine, tenant, seq, (block) => [{ ...block, oldest_at: block.newest_at + 1 }])
  },
  async count(engine, tenant, { seq }) {
    return ofBlock(engine, tenant, seq, (block) => [{ ...block, records: block.records + 1 }])
  },
  async unhead({ db }, tenant, { size }) {
    await sql`delete from audit_heads where tenant = ${tenant}`.execute(db)
    return size + 1
  },
} satisfies Readonly<Record<string, Tamper>>

export const WAYS = Object.keys(TAMPER) as (keyof typeof TAMPER)[]
