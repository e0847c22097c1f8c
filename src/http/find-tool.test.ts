import { expect, test } from 'vitest'
import { addServer, openTestApi } from '../../test/support/test-api.ts'
import { findTool } from './find-tool.ts'

test('a tool is found by name, exposed name and id, and of two of one name the first, however often one looks', async () => {
  await using t = await openTestApi()
  const { registry } = t.deps
  await addServer(t, 'files', ['read', 'write'])
  // Its name is taken by the other's exposed name, so that it is exposed under one of its own.
  for (const name of ['files__read', 'send mail'])
    await t.send('POST', '/api/v1/tools', { name, description: 'x', endpoint: 'http://127.0.0.1:9/' })
  const all = registry.catalog.allTools()
  const [read, , shadowed, mail] = all
  expect(shadowed?.name).toBe(read?.name)
  for (let look = 0; look < 30; look += 1) {
    for (const tool of all) {
      expect(findTool(registry, tool.id)).toBe(tool)
      expect(findTool(registry, tool.exposedName)).toBe(tool)
    }
    expect(findTool(registry, 'files__read')).toBe(read)
    expect(findTool(registry, 'send mail')).toBe(mail)
    expect(findTool(registry, 'nothing')).toBeUndefined()
  }
})
