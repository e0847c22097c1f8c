import { logLevelBody } from '#contract/log-level'
import { endpoint } from '../../endpoint.ts'

export const setLogLevel = endpoint({
  method: 'PUT',
  path: '/api/v1/admin/log-level',
  access: 'settings:update',
  group: 'admin',
  summary: 'Log more or less, from now until the next start',
  body: logLevelBody,
  status: 200,
  answer: logLevelBody,

  handle({ logLevel, setLogLevel }, { body }) {
    setLogLevel(body.level)
    return { level: logLevel() }
  },
})
