import { stemmer } from 'stemmer'

/** Words that say nothing about which tool is meant. */
const STOP_WORDS = new Set(
  'a an and are as at be been but by can could do does for from had has have i if in into is it its me my of on or our please so than that the their them then there these they this to was we were what when where which who will with would you your'.split(
    ' ',
  ),
)

const WORD = /[\p{L}\p{M}]+|\p{N}+/gu
const CJK = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u
const CJK_RUN =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]+|[^\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]+/gu
const STEMS_MAX = 50_000
const stems = new Map<string, string>()

/**
 * The terms of a text: case, accents, camelCase, snake_case and inflection do not count; scripts without blanks between
 * words give pairs of characters.
 */
export function termsOf(text: string): string[] {
  return wordsOf(text).flatMap((word) => {
    if (CJK.test(word))
      return (word.match(CJK_RUN) ?? []).flatMap((run) => (CJK.test(run) ? pairsOf(run) : [stemOf(run)]))
    return STOP_WORDS.has(word) ? [] : [stemOf(word)]
  })
}

/** The words of a text in lower case, names taken apart. */
export function wordsOf(text: string): string[] {
  const spaced = text
    .normalize('NFKD')
    .replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
  return spaced.replaceAll(/\p{M}/gu, '').toLowerCase().match(WORD) ?? []
}

function pairsOf(run: string): string[] {
  const characters = Array.from(run)
  if (characters.length === 1) return characters
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`)
}

function stemOf(word: string): string {
  const known = stems.get(word)
  if (known !== undefined) return known
  if (stems.size >= STEMS_MAX) stems.clear()
  const stem = stemmer(word)
  stems.set(word, stem)
  return stem
}
