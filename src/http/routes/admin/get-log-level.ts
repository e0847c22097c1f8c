import { logLevelBody } from '#contract/log-level'
import { endpoint } from '../../endpoint.ts'

export const getLogLevel = endpoint({
  method: 'GET',
  path: '/api/v1/admin/log-level',
  access: 'settings:read',
  group: 'admin',
  summary: 'How much the gateway logs',
  status: 200,
  answer: logLevelBody,

  handle: ({ logLevel }) => ({ level: logLevel() }),
})
