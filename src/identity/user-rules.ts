import { ValidationError } from '#kernel/errors'
import type { UserDraft } from './users.ts'

/** ASCII alone: letters that look alike are not told apart by people. */
const USERNAME = /^[a-z0-9_][a-z0-9._@+-]{0,63}$/i
const EMAIL = /^[^\s@]+@[^\s@]+$/
const EMAIL_CHARS_MAX = 254
const FULL_NAME_CHARS_MAX = 200
const ROLE = /^[a-z0-9][a-z0-9._-]{0,63}$/i
const ROLES_MAX = 32

export function isUsername(text: string): boolean {
  return USERNAME.test(text)
}

/** Throws a ValidationError that names the first field with a value that nobody can have. */
export function checkUser({ username, email, fullName, roles }: Partial<Omit<UserDraft, 'password'>>): void {
  if (username !== undefined && !isUsername(username)) {
    refuse('username', 'A username has 1 to 64 letters, digits and . _ @ + -, and begins with a letter, a digit or _')
  }
  if (email !== undefined && (email.length > EMAIL_CHARS_MAX || !EMAIL.test(email))) {
    refuse('email', `An e-mail address has one @ and at most ${EMAIL_CHARS_MAX} characters`)
  }
  if (fullName !== undefined && (fullName.length > FULL_NAME_CHARS_MAX || /\p{Cc}/u.test(fullName))) {
    refuse('full_name', `A full name has at most ${FULL_NAME_CHARS_MAX} characters and no control characters`)
  }
  if (roles !== undefined && (roles.length > ROLES_MAX || !roles.every((role) => ROLE.test(role)))) {
    refuse('roles', `There are at most ${ROLES_MAX} roles, each with 1 to 64 letters, digits and . _ -`)
  }
}

function refuse(field: string, message: string): never {
  throw new ValidationError(message, { field })
}
