import { matchesAny } from '#kernel/glob'

/** What is known of a thing beside its name. What is absent, the thing does not have. */
export interface Facts {
  readonly server?: string
  /** Of the endpoint that shows it. */
  readonly namespace?: string | undefined
  readonly category?: string | undefined
  readonly tags?: readonly string[]
  readonly securityLevel?: number
  readonly readOnly?: boolean
  readonly destructive?: boolean
}

/** When a permission holds: all its members must be met. Of the patterns in a list one is enough. */
export interface Condition {
  readonly servers?: readonly string[]
  readonly namespaces?: readonly string[]
  readonly categories?: readonly string[]
  readonly tags?: readonly string[]
  readonly maxSecurityLevel?: number
  readonly minSecurityLevel?: number
  readonly readOnly?: boolean
  readonly destructive?: boolean
}

/** One of the tests of a condition, which is met when each of them is. */
export type FactTest = (facts: Facts) => boolean

/** A fact that a thing does not have meets nothing. */
const TESTS: readonly ((condition: Condition) => FactTest | undefined)[] = [
  ({ servers }) => servers && (({ server }) => isOneOf(servers, server)),
  ({ namespaces }) => namespaces && (({ namespace }) => isOneOf(namespaces, namespace)),
  ({ categories }) => categories && (({ category }) => isOneOf(categories, category)),
  ({ tags: wanted }) => wanted && (({ tags = [] }) => tags.some((tag) => matchesAny(wanted, tag))),
  ({ maxSecurityLevel: max }) => given(max, ({ securityLevel = Infinity }) => securityLevel <= (max ?? 0)),
  ({ minSecurityLevel: min }) => given(min, ({ securityLevel = -Infinity }) => securityLevel >= (min ?? 0)),
  ({ readOnly: wanted }) => given(wanted, ({ readOnly }) => readOnly === wanted),
  ({ destructive: wanted }) => given(wanted, ({ destructive }) => destructive === wanted),
]

export function testsOf(condition: Condition): readonly FactTest[] {
  return TESTS.flatMap((testOf) => testOf(condition) ?? [])
}

function isOneOf(patterns: readonly string[], value: string | undefined): boolean {
  return value !== undefined && matchesAny(patterns, value)
}

function given(wanted: unknown, test: FactTest): FactTest | undefined {
  return wanted === undefined ? undefined : test
}

/** In words, as a rule that decided is named. */
export function conditionText(condition: Condition): string {
  const parts = Object.entries(condition).map(([member, wanted]) => `${wordOf(member)} ${listed(wanted)}`)
  return parts.join(' and ')
}

function wordOf(member: string): string {
  return member.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function listed(wanted: unknown): string {
  return Array.isArray(wanted) ? wanted.join('|') : String(wanted)
}
