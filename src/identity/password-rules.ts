const CHARACTERS_MIN = 12
const CHARACTERS_MAX = 128

/** Why nobody may have this password, or undefined. Never repeats it. */
export function passwordProblem(password: string): string | undefined {
  if (!isPlausible(password)) return `A password has at most ${CHARACTERS_MAX} characters, all of them valid Unicode`
  if (countOf(password) < CHARACTERS_MIN) return `A password needs at least ${CHARACTERS_MIN} characters`
  return undefined
}

/**
 * Whether anybody can have this password. Two texts with different halves of surrogate pairs would be the same bytes,
 * and what is longer than any password is not worth hashing.
 */
export function isPlausible(password: string): boolean {
  return password.length <= 2 * CHARACTERS_MAX && countOf(password) <= CHARACTERS_MAX && password.isWellFormed()
}

/** Code points, as a person counts them more nearly than UTF-16 does. */
function countOf(text: string): number {
  return Array.from(text).length
}
