import { z } from 'zod'

const counts = {
  would_have_received: z.int().describe('Had every list shown all tools'),
  received: z.int().describe('By lists, search_tools and describe_tools'),
}
const namespace = z.string().nullable().describe('null: the endpoint of everything, /mcp')

/** Tokens of tool definitions since the start, by the counter of the namespaces' `definition_tokens`. */
export const tokensBody = z.object({
  namespaces: z.array(
    z.object({
      namespace,
      ...counts,
      saved_share: z.number().describe('Of 1; below 0 where more came than all lists'),
    }),
  ),
  sessions: z
    .array(z.object({ session: z.string().describe('A label, not the id'), namespace, ...counts }))
    .describe('Legacy sessions that live, at most the 100 that were used last'),
})
export type TokensBody = z.infer<typeof tokensBody>
