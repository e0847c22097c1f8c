import { describe, expect, test } from 'vitest'
import { testCall, type CallParts, everything } from '../../test/support/test-call.ts'
import {
  httpToolDraft,
  namespaceDraft,
  openTestRegistry,
  snapshotOf,
  upstreamDraft,
  type TestRegistry,
} from '../../test/support/test-registry.ts'
import { route } from './route.ts'

async function openFilled(): Promise<TestRegistry> {
  const t = await openTestRegistry()
  for (const [name, lists] of Object.entries({
    files: {
      tools: ['read', 'a__b'],
      prompts: ['ask'],
      resources: ['file:///a.txt'],
      templates: ['file:///logs/{day}', 'file:///logs/{day}/{hour}.txt', 'file:///{+path}'],
    },
    notes: {
      tools: ['read'],
      prompts: ['ask'],
      resources: ['note://1', 'note://2'],
      templates: ['file:///logs/old/{x}'],
    },
    mail: { resources: ['mail://inbox', 'shared://x'] },
    chat: { resources: ['shared://y'] },
  })) {
    const { id } = await t.registry.upstreams.register(upstreamDraft(name))
    await t.registry.publishSnapshot(snapshotOf(id, lists))
  }
  await t.registry.httpTools.register(httpToolDraft('weather today'))
  await t.registry.namespaces.register(namespaceDraft('notes', { servers: ['notes'] }))
  return t
}

const to = ({ registry }: TestRegistry, parts: CallParts) => {
  const { server, originalName } = route(everything(registry.catalog), testCall(parts))
  return `${server} ${originalName}`
}

describe('R252 a call finds its upstream', () => {
  test.each<[CallParts, string]>([
    [{ name: 'files__read' }, 'files read'],
    [{ name: 'files__a__b' }, 'files a__b'],
    [{ name: 'notes__read', namespace: 'notes' }, 'notes read'],
    [{ kind: 'prompt', name: 'notes__ask' }, 'notes ask'],
    [{ kind: 'resource', name: 'file:///a.txt' }, 'files file:///a.txt'],
    [{ kind: 'resource', name: 'file:///logs/monday' }, 'files file:///logs/monday'],
    [{ kind: 'resource', name: 'file:///logs/old/monday' }, 'notes file:///logs/old/monday'],
    [{ kind: 'resource', name: 'file:///not/listed' }, 'files file:///not/listed'],
    [{ kind: 'resource', name: 'note://99' }, 'notes note://99'],
    [{ kind: 'resource', name: 'shared://y' }, 'chat shared://y'],
    [{ kind: 'resource', name: 'other://x', namespace: 'notes' }, 'notes other://x'],
    [{ kind: 'completion', name: '', params: { ref: { type: 'ref/prompt', name: 'files__ask' } } }, 'files ask'],
    [
      { kind: 'completion', name: '', params: { ref: { type: 'ref/resource', uri: 'file:///logs/{day}' } } },
      'files file:///logs/{day}',
    ],
    [{ kind: 'completion', name: '', params: { ref: { type: 'ref/resource', uri: 'note://1' } } }, 'notes note://1'],
  ])('%j goes to %s', async (parts, way) => {
    await using t = await openFilled()
    expect(to(t, parts)).toBe(way)
  })

  test.each<[CallParts, string]>([
    [{ name: 'read' }, 'tool_not_found'],
    [{ name: '' }, 'tool_not_found'],
    [{ name: 'constructor' }, 'tool_not_found'],
    [{ name: 'files__read', namespace: 'notes' }, 'tool_not_found'],
    [{ name: 'files__read', namespace: 'none' }, 'not_found'],
    [{ kind: 'prompt', name: 'ask' }, 'prompt_not_found'],
    [{ kind: 'resource', name: 'shared://z' }, 'resource_not_found'],
    [{ kind: 'resource', name: 'other://x' }, 'resource_not_found'],
    [{ kind: 'resource', name: '' }, 'resource_not_found'],
    [{ kind: 'completion', name: '', params: {} }, 'validation_error'],
    [{ kind: 'completion', name: '', params: { ref: 'x' } }, 'validation_error'],
    [{ kind: 'completion', name: '', params: { ref: { type: 'ref/prompt', name: 5 } } }, 'validation_error'],
    [{ kind: 'completion', name: '', params: { ref: { type: 'ref/prompt', name: 'x' } } }, 'prompt_not_found'],
  ])('%j is refused with %s', async (parts, code) => {
    await using t = await openFilled()
    expect(() => to(t, parts)).toThrow(expect.objectContaining({ code }))
  })

  test('with what links need to know of its tool', async () => {
    await using t = await openTestRegistry()
    const { id } = await t.registry.upstreams.register(upstreamDraft('files'))
    const text =
      '{"name":"read","inputSchema":{ "type":"object" },"annotations":{"readOnlyHint":true,"idempotentHint":"yes"}}'
    await t.registry.publishSnapshot(snapshotOf(id, {}, { tools: [{ key: 'read', text }] }))
    const { tool } = route(everything(t.registry.catalog), testCall({ name: 'files__read', params: {} }))
    expect(tool).toEqual({
      kind: 'mcp',
      exposedName: 'files__read',
      definition: expect.objectContaining({ inputSchema: { type: 'object' } }) as unknown,
      inputSchemaText: '{ "type":"object" }',
      readOnly: true,
      idempotent: false,
      hasOwnBreaker: false,
    })
  })
})
