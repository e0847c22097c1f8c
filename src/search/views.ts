import { wordsOf } from './analyser.ts'
import type { SearchDocument } from './document.ts'
import { normalised } from './vector-table.ts'

const SENTENCE_CHARS_MAX = 240
const PARAMETER_CHARS_MAX = 80

/** A text that stands for a tool, and how much of the tool's vector it makes. */
export interface View {
  readonly text: string
  readonly weight: number
}

/** So many lessons weigh as much as the description: few, because what is asked looks like what else is asked. */
const LESSONS_FOR_HALF = 12
/** What all questions have in common; half of it is taken off the lessons, so that a taught tool is not near to every question. */
const ANY_QUESTION = 'I want you to help me with something, can you find out about it and tell me?'
const ANY_SHARE = 0.5

/** What a tool's vector is made of: a short description of it, and what was asked when it was the right one. */
export function viewsOf(document: SearchDocument): readonly View[] {
  const { learned } = document
  const taught = learned.reduce((sum, { weight }) => sum + weight, 0)
  if (taught === 0) return [{ text: shortView(document), weight: 1 }]
  const share = taught / (taught + LESSONS_FOR_HALF)
  return [
    { text: shortView(document), weight: 1 - share },
    ...learned.map(({ text, weight }) => ({ text, weight: (share * weight) / taught })),
    { text: ANY_QUESTION, weight: -share * ANY_SHARE },
  ]
}

/** What a tool is about in few words: more of them blur the vector. */
function shortView({ server, name, description, parameterNames }: SearchDocument): string {
  const sentence = /^[\s\S]*?[.!?。！？](?=\s|$)/u.exec(description)?.[0] ?? description
  const parameters = parameterNames.map((parameter) => wordsOf(parameter).join(' ')).join(', ')
  const parts = [
    server,
    wordsOf(name).join(' '),
    sentence.slice(0, SENTENCE_CHARS_MAX),
    parameters.slice(0, PARAMETER_CHARS_MAX),
  ]
  return parts.join(' ').trimEnd()
}

/** One vector of length one out of several. */
export function blended(parts: readonly { readonly vector: Float32Array; readonly weight: number }[]): Float32Array {
  const [first] = parts
  if (parts.length === 1 && first) return first.vector
  const sum = new Float32Array(first?.vector.length ?? 0)
  for (const { vector, weight } of parts)
    for (let i = 0; i < sum.length; i += 1) sum[i] = (sum[i] ?? 0) + weight * (vector[i] ?? 0)
  return normalised(sum)
}
