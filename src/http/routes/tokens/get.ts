import { tokensBody } from '#contract/tokens'
import { endpoint } from '../../endpoint.ts'
import { tokensAnswer } from '../../tokens-shape.ts'

export const getTokens = endpoint({
  method: 'GET',
  path: '/api/v1/tokens',
  access: 'metrics:read',
  group: 'tokens',
  summary: 'What definitions of tools cost MCP clients, and would have cost',
  status: 200,
  answer: tokensBody,

  handle: ({ definitionTokens }) => tokensAnswer(definitionTokens()),
})
