import { describe, expect, test } from 'vitest'
import { AppError, UpstreamRpcError } from '#kernel/errors'
import { ERROR_CODES, type ErrorCode } from '#kernel/error-codes'
import { Cancellation } from '#kernel/cancellation'
import type { JsonObject } from '#kernel/json'
import { META, MODERN_VERSION } from '#kernel/protocol'
import type { RpcRequest } from '#kernel/rpc-message'
import { person } from '../../test/support/person.ts'
import { isModern } from './endpoint.ts'
import { readClaim } from './modern-claim.ts'
import { callOf, canAnswer, neededCapability, progressTokenOf } from './primitives.ts'
import { rpcErrorText } from './rpc-error.ts'
import { createEventLog } from './stream-log.ts'

function request(method: string, params: JsonObject): RpcRequest {
  return { kind: 'request', id: 1, idText: '1', method, params, paramsText: JSON.stringify(params) }
}

const token = (text: string) => {
  const paramsText = `{"_meta":{"progressToken": ${text} }}`
  return progressTokenOf({ ...request('tools/call', JSON.parse(paramsText) as JsonObject), paramsText })
    ?.progressTokenText
}

const CLAIM = { [META.protocolVersion]: MODERN_VERSION, [META.clientCapabilities]: {} }

describe('R113 the era of a message', () => {
  const modern = { 'mcp-protocol-version': MODERN_VERSION }
  test.each<[unknown, Record<string, string>, boolean]>([
    [{ method: 'ping', params: { _meta: CLAIM } }, {}, true],
    [{ method: 'initialize', params: { _meta: CLAIM } }, {}, true],
    [{ method: 'ping', params: { _meta: { [META.protocolVersion]: 5 } } }, {}, true],
    [{ method: 'ping', params: { _meta: CLAIM } }, { 'mcp-protocol-version': '2025-11-25' }, true],
    [{ method: 'ping' }, modern, true],
    [{ method: 'notifications/x' }, modern, true],
    [{ method: 'ping', params: { _meta: {} } }, {}, false],
    [{ method: 'ping', params: [CLAIM] }, {}, false],
    [{ method: 'ping', params: { _meta: [META.protocolVersion] } }, {}, false],
    [{ method: 'ping' }, { 'mcp-protocol-version': '2025-11-25' }, false],
    [{ id: 1, result: {} }, modern, false],
    [[{ method: 'ping' }], modern, false],
    [null, modern, false],
    ['ping', modern, false],
  ])('%j with %j: modern %s', (value, headers, expected) => {
    expect(isModern({ headers }, value as JsonObject)).toBe(expected)
  })
})

describe('R113 a claim', () => {
  const headers = { 'mcp-protocol-version': MODERN_VERSION, 'mcp-method': 'tools/list' }
  const read = (meta: JsonObject, more = headers) => readClaim(request('tools/list', { _meta: meta }), more)

  test('is read as it is, the text of the client’s own words kept', () => {
    const info = { name: 'ä', version: '1' }
    expect(read({ ...CLAIM, [META.clientInfo]: info, [META.logLevel]: 'info' })).toEqual({
      capabilities: {},
      infoText: JSON.stringify(info),
      logLevel: 'info',
    })
    expect(read({ ...CLAIM, [META.clientInfo]: 'nobody' })).toEqual({ capabilities: {} })
  })

  test('must be there, then agree with the headers, then name a version: in this order', () => {
    const wrong = { ...headers, 'mcp-method': 'x' }
    expect(() => read({}, wrong)).toThrow(expect.objectContaining({ rpcCode: -32602, httpStatus: 400 }))
    const other = { ...CLAIM, [META.protocolVersion]: '2099-01-01' }
    expect(() => read(other, wrong)).toThrow(expect.objectContaining({ rpcCode: -32020 }))
    expect(() => read(other, { ...headers, 'mcp-protocol-version': '2099-01-01' })).toThrow(
      expect.objectContaining({ rpcCode: -32022, data: { supported: [MODERN_VERSION], requested: '2099-01-01' } }),
    )
  })

  test('agrees with headers in blanks, and no method of an object needs a name', () => {
    expect(() => read(CLAIM, { ...headers, 'mcp-method': ' tools/list\t' })).not.toThrow()
    for (const method of ['constructor', 'toString', '__proto__'])
      expect(() => readClaim(request(method, { _meta: CLAIM }), { ...headers, 'mcp-method': method })).not.toThrow()
  })
})

describe('R113 what makes a call of a request', () => {
  const context = {
    namespace: undefined,
    principal: person('a'),
    caller: { sessionKey: 's', profile: { capabilities: {} } },
    signal: new Cancellation(),
  }
  const call = (method: string, params: JsonObject) => callOf(request(method, params), context)
  const traced = (traceparent: string) => call('tools/call', { name: 'x', _meta: { traceparent } })

  test.each<[string, JsonObject, string]>([
    ['tools/call', { name: 'x' }, 'tool x'],
    ['prompts/get', { name: '' }, 'prompt '],
    ['resources/read', { uri: 'a:b' }, 'resource a:b'],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'p' } }, 'completion p'],
    ['completion/complete', { ref: { type: 'ref/resource', uri: 'u' } }, 'completion u'],
  ])('%s %j is a call of %s', (method, params, kind) => {
    const made = call(method, params)
    expect(`${made.kind} ${made.name}`).toBe(kind)
    expect(made.traceId).toMatch(/^[0-9a-f]{32}$/)
  })

  test('goes on with the trace of the caller when that is one', () => {
    const id = '0af7651916cd43dd8448eb211c80319c'
    expect(traced(`00-${id}-b7ad6b7169203331-01`)).toMatchObject({
      traceId: id,
      traceparent: `00-${id}-b7ad6b7169203331-01`,
    })
    for (const broken of [
      '',
      'x',
      `00-${id}-x-01`,
      `00-${id}-b7ad6b7169203331-01\r\nx: y`,
      `00-${id.toUpperCase()}-b7ad6b7169203331-01`,
    ]) {
      expect(traced(broken).traceId).not.toBe(id)
      expect(traced(broken).traceparent).toBeUndefined()
    }
  })

  test('keeps a progress token to the letter: 0, "" and long numbers are tokens', () => {
    for (const text of ['0', '""', '"a"', '12345678901234567890', '1.50']) expect(token(text)).toBe(text)
    for (const text of ['null', '{}', '[]', 'true']) expect(token(text)).toBeUndefined()
  })

  test('asks a client only what it declared', () => {
    expect(canAnswer({ elicitation: {} }, 'elicitation/create', {})).toBe(true)
    expect(canAnswer({ elicitation: {} }, 'elicitation/create', { mode: 'url' })).toBe(false)
    expect(canAnswer({ elicitation: { url: {} } }, 'elicitation/create', { mode: 'url' })).toBe(true)
    expect(canAnswer({ sampling: true }, 'sampling/createMessage', {})).toBe(false)
    expect(canAnswer({}, 'roots/list', {})).toBe(false)
    expect(neededCapability('elicitation/create', { mode: 'url' })).toEqual({ elicitation: { url: {} } })
  })
})

describe('R113 an error in the words of MCP', () => {
  test.each(Object.keys(ERROR_CODES) as ErrorCode[])('%s has its code in both eras', (code) => {
    const error = new AppError(code, 'It did not work', { details: { a: 1 }, cause: new Error('secret') })
    for (const era of ['legacy', 'modern'] as const) {
      const isOld = code === 'resource_not_found' && era === 'legacy'
      expect(JSON.parse(rpcErrorText(error, era))).toEqual({
        code: isOld ? -32002 : ERROR_CODES[code].rpcCode,
        message: 'It did not work',
        data: { a: 1 },
      })
    }
    expect(JSON.parse(rpcErrorText(new AppError(code, 'x'), 'modern'))).not.toHaveProperty('data')
  })

  test('of an upstream stays what the upstream said, to the letter', () => {
    const text = '{ "code" : -32011, "message":"m", "data":{"x":1.0}, "more":true }'
    const error = new UpstreamRpcError('files', { code: -32011, message: 'm', text })
    for (const era of ['legacy', 'modern'] as const) expect(rpcErrorText(error, era)).toBe(text)
  })
})

describe('R113 the events of a session', () => {
  test('follow the one that a client saw last, on its own stream alone', () => {
    const log = createEventLog()
    const [a, b] = [log.stream(), log.stream()]
    const start = a.start()
    const [first] = [a.add('1'), b.add('x'), a.add('2')]
    expect(log.after(start)?.events.map(({ text }) => text)).toEqual(['1', '2'])
    expect(log.after(first)?.events.map(({ text }) => text)).toEqual(['2'])
    expect(log.after(b.start())?.stream).toBe(b.number)
  })

  test('are nothing for ids that are not ours', () => {
    const log = createEventLog()
    log.stream().add('secret')
    for (const id of ['', '-', 'x', '1', '5-0', '-1-0', 'NaN-0', '0', '__proto__', '0x-1'])
      expect(log.after(id)?.events ?? []).not.toContainEqual(expect.objectContaining({ text: 'secret' }))
  })

  test('are bounded in number and size, the newest kept', () => {
    const log = createEventLog()
    const stream = log.stream()
    const start = stream.start()
    for (let event = 0; event < 2000; event += 1) stream.add(String(event))
    expect(log.after(start)?.events.at(-1)?.text).toBe('1999')
    expect(log.after(start)?.events.length).toBeLessThanOrEqual(500)
    for (let event = 0; event < 20; event += 1) stream.add('x'.repeat(1_000_000))
    expect(log.after(start)?.events.length).toBeLessThanOrEqual(9)
  })
})
