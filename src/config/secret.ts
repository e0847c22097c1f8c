import { inspect } from 'node:util'
import type { Secret } from './config.ts'

const SHOWN = '[secret]'

/** Wraps a value so that logs, JSON and `inspect` show `[secret]`. */
export function createSecret(value: string): Secret {
  return Object.freeze({
    reveal: () => value,
    toString: () => SHOWN,
    toJSON: () => SHOWN,
    [inspect.custom]: () => SHOWN,
  })
}

const SECRET_BYTES_MIN = 32
const DISTINCT_CHARACTERS_MIN = 8

/** Words of placeholders in tutorials, templates and `.env.example` files. */
const PLACEHOLDER =
  /change.?(me|this|it|in.?prod|before)|your.?(own.?|super.?|very.?|jwt.?)*(secret|key|256)|replace.?(me|this|with)|placeholder|super.?secret|not.?so.?secret|insert.?(your|a|secret)|at.?least.?(32|256)|default.?secret|secret.?key.?here|(my|dev|test|development|insecure).?secret|keyboard.?cat|correct.?horse|1234567890|abcdefghij|qwertyuiop/i

/** Keys that published examples contain to the letter. */
const PUBLISHED = new Set([
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
  'a-string-secret-at-least-256-bits-long',
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9',
])

/** What people fill a key up with until it is long enough. */
const FILLERS =
  /secret|passw(or)?d|passphrase|change|admin|root|default|example|sample|metamcp|meta|mcp|token|jwt|key|auth|test(ing)?|demo|dev(elopment)?|prod(uction)?|staging|local(host)?|insecure|unsafe|super|very|long|random|string|value|please|this|your|not|for|the|letmein|welcome|qwert[yz](uiop)?|asdf(ghjkl)?|zxcvb(nm)?|dragon|monkey|master|login|user|server|django|flask|laravel|rails|spring|express|foo|bar|baz|hello|world|lorem|ipsum|bits?|bytes?|minimum|characters?|(19|20)\d\d|0123456789|123456789|12345678|1234567|123456|12345|1234|abcdef(ghijklmnopqrstuvwxyz)?|deadbeef|cafebabe/g
/** So many characters must be left without words, runs and separators: 96 bits at four and more a character. */
const REST_CHARS_MIN = 20
const LOOKED_AT_MAX = 256
const LEET: Readonly<Record<string, string>> = {
  0: 'o',
  1: 'i',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  $: 's',
  '@': 'a',
  '!': 'i',
}

/** Whether little is left of a key without what everybody thinks of. Letters may be written as digits. */
function isPadded(key: string): boolean {
  const plain = key.toLowerCase()
  const spelled = plain.replaceAll(/[013457$@!]/g, (character) => LEET[character] ?? character)
  return [plain, spelled].some((text) => restOf(text).length < REST_CHARS_MIN)
}

function restOf(text: string): string {
  return text
    .slice(0, LOOKED_AT_MAX)
    .replaceAll(/(.{4,40}?)\1+/g, '$1')
    .replaceAll(/(.{1,4}?)\1{2,}/g, '')
    .replaceAll(FILLERS, '')
    .replaceAll(/[^a-z0-9+/]/g, '')
}

/** Why a signing key must not be used, or undefined. Never repeats the key. */
export function weaknessOf(key: string): string | undefined {
  const bytes = Buffer.byteLength(key)
  if (bytes < SECRET_BYTES_MIN) return `has ${bytes} bytes and needs at least ${SECRET_BYTES_MIN}`
  if (PUBLISHED.has(key) || PLACEHOLDER.test(key) || isPadded(key))
    return 'is a well-known or guessable value; make one with: openssl rand -base64 48'
  if (new Set(key).size < DISTINCT_CHARACTERS_MIN || isRepeated(key))
    return 'repeats itself and is easy to guess; make one with: openssl rand -base64 48'
  return undefined
}

/** True for "abcabcabc…": a text that is found in its own doubling before its end has a period. */
function isRepeated(text: string): boolean {
  return (text + text).indexOf(text, 1) <= text.length / 2
}
