import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonValue } from './json.ts'
import { errorText, isRpcId, notificationText, readMessage, requestText, resultText } from './rpc-message.ts'

const read = (text: string) => readMessage(text, JSON.parse(text) as JsonValue)

describe('R113 a JSON-RPC message', () => {
  test('keeps the text of id, params, result and error as it came', () => {
    expect(read('{"jsonrpc":"2.0","id": 1.0e2 ,"method":"a","params":{ "x":1.50 }}')).toMatchObject({
      kind: 'request',
      id: 100,
      idText: '1.0e2',
      paramsText: '{ "x":1.50 }',
      params: { x: 1.5 },
    })
    expect(read('{"result":{ "a" : 12345678901234567890 },"id":"","jsonrpc":"2.0"}')).toMatchObject({
      kind: 'response',
      id: '',
      resultText: '{ "a" : 12345678901234567890 }',
    })
    expect(read('{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"m","data":[1.0]}}')).toMatchObject({
      kind: 'response',
      id: null,
      error: { code: -1, message: 'm', text: '{"code":-1,"message":"m","data":[1.0]}' },
    })
    expect(read('{"jsonrpc":"2.0","method":"n"}')).toEqual({
      kind: 'notification',
      method: 'n',
      params: {},
      paramsText: '{}',
    })
  })

  test.each([
    ['5', null],
    ['null', null],
    ['[]', null],
    ['{}', null],
    ['{"jsonrpc":"1.0","id":3,"method":"a"}', 3],
    ['{"jsonrpc":2.0,"id":"x","method":"a"}', 'x'],
    ['{"jsonrpc":"2.0","id":null,"method":"a"}', null],
    ['{"jsonrpc":"2.0","id":1.5,"method":"a"}', null],
    ['{"jsonrpc":"2.0","id":{},"method":"a"}', null],
    ['{"jsonrpc":"2.0","id":1e400,"method":"a"}', null],
    ['{"jsonrpc":"2.0","id":1,"method":5}', 1],
    ['{"jsonrpc":"2.0","id":1,"method":null}', 1],
    ['{"jsonrpc":"2.0","id":1,"method":"a","params":[]}', 1],
    ['{"jsonrpc":"2.0","id":1,"method":"a","params":null}', 1],
    ['{"jsonrpc":"2.0","method":"a","params":"x"}', null],
    ['{"jsonrpc":"2.0","id":1}', 1],
    ['{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1}}', 1],
    ['{"jsonrpc":"2.0","id":1,"result":[]}', 1],
    ['{"jsonrpc":"2.0","id":1,"error":{"code":"1"}}', 1],
    ['{"jsonrpc":"2.0","id":1,"error":null}', 1],
    ['{"__proto__":{"jsonrpc":"2.0","method":"a"}}', null],
  ])('%s is none, and the fault has what id there was', (text, id) => {
    expect(read(text)).toEqual({ kind: 'fault', id, reason: expect.stringMatching(/./) })
  })

  test('that we write is read back as it was', () => {
    const id = fc.oneof(fc.string({ unit: 'binary' }), fc.maxSafeInteger())
    const object = fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value))
    fc.assert(
      fc.property(id, fc.string(), object, (id, method, text) => {
        const idText = JSON.stringify(id)
        const same = JSON.parse(idText) as string | number
        expect(read(requestText(idText, method, text))).toMatchObject({ id: same, idText, method, paramsText: text })
        expect(read(resultText(idText, text))).toMatchObject({ kind: 'response', id: same, resultText: text })
        expect(read(notificationText(method, text))).toMatchObject({ kind: 'notification', method, paramsText: text })
        const error = '{"code":-32000,"message":""}'
        expect(read(errorText(idText, error))).toMatchObject({ id: same, error: { code: -32000, text: error } })
      }),
    )
  })

  test('has an id that is a string or a whole number', () => {
    for (const id of ['', 'a', 0, -1, 2 ** 60]) expect(isRpcId(id)).toBe(true)
    for (const id of [null, undefined, 0.5, Number.NaN, Infinity, true, [], {}]) expect(isRpcId(id)).toBe(false)
  })
})
