import type { Requirement } from '../requirements.ts'

/** A test file as the gate reads it. */
export interface TestFile {
  readonly path: string
  readonly text: string
}

export interface CitationReport {
  /** Owned now and cited by no test. */
  readonly unproven: readonly Requirement[]
  /** To come later and cited by no test. */
  readonly waiting: readonly Requirement[]
  /** `path: id` where a test cites what is no requirement. */
  readonly unknown: readonly string[]
}

/** Compares the ids that tests cite (`R` and three digits) with the requirements. */
export function compareCitations(files: readonly TestFile[], requirements: readonly Requirement[]): CitationReport {
  const known = new Set(requirements.map(({ id }) => id))
  const cited = files.flatMap(({ path, text }) => idsIn(text).map((id) => ({ path, id })))
  const proven = new Set(cited.map(({ id }) => id))
  const uncited = requirements.filter(({ id }) => !proven.has(id))
  return {
    unproven: uncited.filter(({ owner }) => owner === 'this issue'),
    waiting: uncited.filter(({ owner }) => owner === 'later'),
    unknown: cited.filter(({ id }) => !known.has(id)).map(({ path, id }) => `${path}: ${id}`),
  }
}

/** The ids in a text, `R120-R123` and `R120–R123` with all between. */
function idsIn(text: string): string[] {
  return Array.from(text.matchAll(/\bR(\d{3})(?:[-–]R?(\d{3}))?\b/g)).flatMap(([, from, to]) => {
    const first = Number(from)
    const count = to === undefined ? 1 : Number(to) - first + 1
    return Array.from({ length: Math.max(1, count) }, (_, i) => `R${String(first + i).padStart(3, '0')}`)
  })
}
