import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { rawMember, rawMembers } from './raw-json.ts'

// A server that parses as little as it can: what it was sent comes back to the letter, in spellings that no serialiser
// would choose. `node verbatim.ts legacy|modern` serves stdio.

const SPELLINGS = '[1.0,1e400,12345678901234567890,-0,1E+2,0.10,123456789012345678901234567890.5e-10]'
const KEYS = '"__proto__":{"x":1},"10":"b","2":"a","k\\u0065y":null,"":[],"constructor":{}'
const SCHEMA = '{"type":"object","properties":{"n":{"const":12345678901234567890}},"x\\u002dunknown":1.0}'

const tool = (name: string): string =>
  `{"name":"${name}","title":"V\\u0065rbatim","inputSchema":${SCHEMA},"icons":[{"src":"data:,","sizes":["any"],"theme":"dark"}],"_meta":{"example.com/n":1.0},"annotations":{"readOnlyHint":true,"future":1E2},"execution":{"taskSupport":"forbidden"},"future":{"n":1.0}}`

const LISTS: Readonly<Record<string, string>> = {
  'tools/list': `"tools":[${['echo', 'empty', 'fail', 'pretty'].map(tool).join(',')}]`,
  'prompts/list': '"prompts":[{"name":"p","arguments":[{"name":"a","future":1.0}],"icons":[],"_meta":{"n":1.0}}]',
  'resources/list':
    '"resources":[{"uri":"v:1","name":"one","size":1.0e3,"annotations":{"priority":0.50},"future":1.0}]',
  'resources/templates/list': '"resourceTemplates":[{"uriTemplate":"v:{+rest}","name":"rest","future":1.0}]',
}

/** The raw answer to one raw message, or undefined where none is due. */
function answerTo(text: string, era: string): string | undefined {
  const id = rawMember(text, 'id')
  if (id === undefined) return undefined
  const answer = bodyOf(JSON.parse(rawMember(text, 'method') ?? '""') as string, rawMember(text, 'params') ?? '{}', era)
  return `{"jsonrpc":"2.0","id":${id},${answer}}`
}

function bodyOf(method: string, params: string, era: string): string {
  const capabilities = '{"tools":{},"prompts":{},"resources":{},"completions":{}}'
  const info = '{"name":"verbatim","version":"1"}'
  if (method === 'server/discover' && era === 'modern')
    return `"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":${capabilities},"ttlMs":0,"cacheScope":"public"}`
  if (method === 'initialize' && era === 'legacy')
    return `"result":{"protocolVersion":"2025-11-25","capabilities":${capabilities},"serverInfo":${info}}`
  const complete = era === 'modern' ? '"resultType":"complete",' : ''
  const list = LISTS[method]
  if (list !== undefined) return `"result":{${complete}${list}}`
  const name = rawMember(params, 'name')
  if (method === 'tools/call' && name === '"empty"') return `"result":{${complete}"content":[]}`
  if (method === 'tools/call' && name === '"fail"')
    return `"error":{"code":-12345,"m\\u0065ssage":"\\u0041\\/é","data":{"n":${SPELLINGS},"params":${params}},"future":{"n":1.50}}`
  if (method === 'tools/call' && name === '"pretty"')
    return `"result": {\n  ${complete}\r\n  "content" : [ ],\t"n": [ 1.0 ,\n 2 ]\n}`
  if (CALLS.has(method))
    return `"result":{${complete}"content":[{"type":"text","text":"\\u0041\\/é \u2028😀\\ud800"},{"type":"hologram","n":1.0}],"n":${SPELLINGS},"structuredContent":{${KEYS},"params":${params}},"_meta":{},"isError":false}`
  return '"error":{"code":-32601,"message":"no such method"}'
}

const CALLS = new Set(['tools/call', 'prompts/get', 'resources/read', 'completion/complete'])

/** Over HTTP, in this process. */
export async function startVerbatim(era: string): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const answer = request.method === 'POST' ? answerTo(text, era) : undefined
      if (request.method !== 'POST') response.writeHead(405).end()
      else if (answer === undefined) response.writeHead(202).end()
      else response.writeHead(200, { 'content-type': 'application/json' }).end(answer)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const dispose = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, [Symbol.asyncDispose]: dispose }
}

if (import.meta.main) {
  const era = process.argv[2] ?? 'legacy'
  let rest = ''
  process.stdin.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines.filter((each) => rawMembers(each).length > 0)) {
      const answer = answerTo(line, era)
      // A message is one line: this server's pretty answer is not for pipes.
      if (answer !== undefined) process.stdout.write(`${answer.replaceAll(/[\r\n]+/g, ' ')}\n`)
    }
  })
}
