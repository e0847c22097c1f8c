/** A task of several steps names several tools: each step is looked for by itself, too. */
const ENDS = /[.!?;\n]+\s|,\s|\band\s+then\b|\bthen\b|\band\s+(?=[a-z]+\b)/giu
const CLAUSES_MAX = 12
const WORDS_MIN = 2

/** The steps of a task, when it has more than one. */
export function clausesOf(text: string): string[] {
  const clauses = text
    .split(ENDS)
    .map((clause) => clause.trim())
    .filter((clause) => clause.split(/\s+/u).length >= WORDS_MIN)
  return clauses.length < 2 ? [] : clauses.slice(0, CLAUSES_MAX)
}
