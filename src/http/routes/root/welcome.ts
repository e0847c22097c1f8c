import { welcome } from '#contract/welcome'
import { endpoint } from '../../endpoint.ts'

export const getWelcome = endpoint({
  method: 'GET',
  path: '/',
  access: 'public',
  group: 'root',
  summary: 'Where everything is',
  status: 200,
  answer: welcome,

  handle: ({ health }) => ({
    name: 'MetaMCP',
    version: health.version,
    links: {
      mcp: '/mcp',
      tools: '/api/v1/tools',
      servers: '/api/v1/proxy/servers',
      health: '/api/v1/health',
      openapi: '/openapi.json',
      docs: '/docs',
    },
  }),
})
