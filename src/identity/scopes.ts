/** What a user can let a client do, and the permissions that each stands for; never more than the user has. */
const SCOPES = {
  'mcp:tools': { permissions: ['tools:read', 'tools:execute', 'searches:*'], meaning: 'Find and call your tools' },
  'mcp:prompts': { permissions: ['prompts:use'], meaning: 'Use your prompts' },
  'mcp:resources': { permissions: ['resources:use'], meaning: 'Read and follow your resources' },
} as const

export type Scope = keyof typeof SCOPES
/** In the order in which metadata and challenges name them. */
export const ALL_SCOPES = Object.keys(SCOPES) as readonly Scope[]

export function isScope(text: string): text is Scope {
  return Object.hasOwn(SCOPES, text)
}

/** What a scope means, for the person who is asked for it. */
export function meaningOf(scope: Scope): string {
  return SCOPES[scope].meaning
}

/** A principal that is a client has these and nothing else of what its user may do. */
export function permissionsOf(scopes: readonly Scope[]): string[] {
  return scopes.flatMap((scope) => SCOPES[scope].permissions)
}
