import { stemmer } from 'stemmer'

/** Words that say nothing about which tool is meant. */
const STOP_WORDS = new Set(
  'a an and are as at be been but by can could do does for from had has have i if in into is it its me my of on or our please so than that the their them then there these they this to was we were what when where which who will with would you your'.split(
    ' ',
  ),
)

const CHUNK = /[\p{L}\p{M}\p{N}]+/gu
const WORD = /\p{L}+|\p{N}+/gu
/** Most chunks are such words; all else is taken apart. */
const PLAIN = /^(?:[a-z]+|[0-9]+)$/
export const ASCII = /^\p{ASCII}*$/u
/** What `wordsOfChunk` makes of all others, in one go. */
const ASCII_WORD = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+/g
const DIGITS = /^[0-9]+$/
const CJK = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u
const CJK_RUN =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]+|[^\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]+/gu

/**
 * The terms of a text: case, accents, camelCase, snake_case and inflection do not count; scripts without blanks between
 * words give pairs of characters.
 */
export function termsOf(text: string): string[] {
  return chunksOf(text).flatMap(termsOfChunk)
}

/** The words of a text that say something, each once, with its terms. */
export function meaningfulWords(text: string): ReadonlyMap<string, readonly string[]> {
  const terms = wordsOf(text).map((word) => [word, termsOfWord(word)] as const)
  return new Map(terms.filter(([, own]) => own.length > 0))
}

/** The words of a text in lower case, names taken apart. */
export function wordsOf(text: string): string[] {
  return chunksOf(text).flatMap(wordsOfChunk)
}

/** What stands between blanks and signs. */
export function chunksOf(text: string): readonly string[] {
  return text.match(CHUNK) ?? []
}

/** The terms of one of a text's chunks. */
export function termsOfChunk(chunk: string): readonly string[] {
  return wordsOfChunk(chunk).flatMap(termsOfWord)
}

function wordsOfChunk(chunk: string): readonly string[] {
  if (PLAIN.test(chunk)) return [chunk]
  if (ASCII.test(chunk)) return chunk.match(ASCII_WORD)?.map((word) => word.toLowerCase()) ?? []
  const spaced = chunk
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
  return spaced.toLowerCase().match(WORD) ?? []
}

function termsOfWord(word: string): readonly string[] {
  if (DIGITS.test(word)) return [word]
  if (CJK.test(word))
    return (word.match(CJK_RUN) ?? []).flatMap((run) => (CJK.test(run) ? pairsOf(run) : [stemmer(run)]))
  return STOP_WORDS.has(word) ? [] : [stemmer(word)]
}

function pairsOf(run: string): string[] {
  const characters = Array.from(run)
  if (characters.length === 1) return characters
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`)
}
