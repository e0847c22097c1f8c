/**
 * Everybody on this machine may do everything. Most tests are about other things than access and say so with this one line;
 * those about access start a gateway as it comes, with `AS_IT_COMES`.
 */
export const OPEN = { META_MCP_ANONYMOUS_ROLE: 'admin' } as const

/** Nobody comes without a credential: what is not set is the default. */
export const AS_IT_COMES = { META_MCP_ANONYMOUS_ROLE: '' } as const
