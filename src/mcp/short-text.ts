const SENTENCE = /^.*?[.!?。！？](?=\s|$)/u

/** The first sentence of a text on one line, cut where it is longer than `charsMax`. */
export function firstSentence(text: string, charsMax: number): string {
  const line = oneLine(text)
  return clipped(SENTENCE.exec(line)?.[0] ?? line, charsMax)
}

/** What a server wrote, without line ends and what else could steer a reader. */
function oneLine(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .toWellFormed()
}

/** At most so many characters; whole words and an ellipsis where something had to go. */
function clipped(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text
  const cut = text.slice(0, Math.max(0, charsMax - 1))
  const end = cut.lastIndexOf(' ')
  const words = end > charsMax / 2 ? cut.slice(0, end) : cut
  return `${words.replace(/[\s,;:]+$/, '').toWellFormed()}…`
}
