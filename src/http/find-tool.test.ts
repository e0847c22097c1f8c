import { expect, test } from 'vitest'
import { addServer, openTestApi } from '../../test/support/test-api.ts'
import { findTool } from './find-tool.ts'

test('a tool is found by name, exposed name and id, disabled or not, however often one looks', async () => {
  await using t = await openTestApi()
  const { registry } = t.deps
  await addServer(t, 'files', ['read', 'write'])
  const mail = { name: 'send mail', description: 'x', endpoint: 'http://127.0.0.1:9/' }
  await t.send('POST', '/api/v1/tools', mail)
  await t.send('PUT', '/api/v1/tools/files__write', { enabled: false })
  await t.send('PUT', '/api/v1/tools/send%20mail', { enabled: false })
  const all = registry.catalog.allTools()
  expect(all.map(({ name }) => name)).toEqual(['files__read', 'files__write', 'send mail'])
  for (let look = 0; look < 30; look += 1) {
    for (const tool of all.toReversed())
      for (const key of [tool.id, tool.name, tool.exposedName]) expect(findTool(registry, key)).toBe(tool)
    expect(findTool(registry, 'nothing')).toBeUndefined()
  }
})
