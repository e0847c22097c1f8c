import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { startGatewayChild } from '../support/gateway-child.ts'
import { newDirectory } from '../support/test-app.ts'

const ROOT = join(import.meta.dirname, '../..')
const configuration = (name: string) => readFileSync(join(ROOT, 'examples', name, 'metamcp.yaml'), 'utf8')

test('R018: what npm start serves is three published servers and two examples, all listed and callable', async () => {
  await using directory = await newDirectory()
  const file = parse(configuration('quickstart')) as { servers: Record<string, { args: string[]; env?: object }> }
  file.servers['db']!.args[1] = join(directory.path, 'shop.db')
  file.servers['memory']!.env = { MEMORY_FILE_PATH: join(directory.path, 'memory.jsonl') }
  await using gateway = await startGatewayChild({ directory: directory.path, file })
  const { api } = gateway
  const names = Object.keys(file.servers)
  expect(names).toEqual(['everything', 'files', 'memory', 'db', 'books'])
  await api.online(...names)
  const ok = async (tool: string, args: object, said: RegExp) => {
    const { status, body } = await api.execute(tool, args)
    expect([status, body.status], tool).toEqual([200, 'success'])
    expect(body.result.content[0]?.text).toMatch(said)
  }
  await ok('everything__echo', { message: 'hello' }, /hello/)
  await ok('files__read_text_file', { path: 'welcome.md' }, /Welcome/)
  await ok('memory__read_graph', {}, /entities/)
  await ok('db__list_tables', {}, /customers/)
  await ok('db__query', { sql: 'select count(*) as n from customers' }, /"n":\s*3/)
  await ok('db__execute', { sql: 'insert into customers (name, city) values (?, ?)', params: ['Ada', 'London'] }, /1/)
  await ok('books__find_books', { author: 'alexander' }, /Pattern Language/)
  await ok('books__place_order', { book_id: 1, quantity: 2 }, /130/)
  const refused = await api.execute('db__query', { sql: 'delete from customers' })
  expect(refused.body).toMatchObject({ status: 'error', is_error: true })
})

test('R018: the sample API serves the same as plain HTTP tools, without an MCP server between', async () => {
  await using directory = await newDirectory()
  const child = spawn(process.execPath, [join(ROOT, 'examples/api-tools/api.ts'), '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), 'line', {
      signal: AbortSignal.timeout(10_000),
    })) as [string]
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? ''
    const file = parse(configuration('api-tools').replaceAll('http://127.0.0.1:8710', url)) as Record<string, unknown>
    await using gateway = await startGatewayChild({ directory: directory.path, file })
    const found = await gateway.api.execute('find_books', { author: 'alexander' })
    expect(found.body.result.structuredContent).toMatchObject({ books: [{ id: 1, title: 'A Pattern Language' }] })
    expect((await gateway.api.execute('get_book', { id: 1 })).text).toContain('A Pattern Language')
    expect((await gateway.api.execute('place_order', { book_id: 1, quantity: 2 })).text).toContain('130')
    expect((await gateway.api.execute('place_order', { book_id: 1, quantity: 0 })).status).toBe(422)
    expect((await gateway.api.execute('get_book', { id: 999 })).body).toMatchObject({ is_error: true })
  } finally {
    child.kill('SIGTERM')
  }
})
