import { lessonPage, lessonQuery, lessonRemoval, lessonsRemoved } from '#contract/lesson'
import { endpoint } from '../../endpoint.ts'
import { getTool } from '../../find-tool.ts'
import { isoTime, pageOf } from '../../page.ts'

export const listLessons = endpoint({
  method: 'GET',
  path: '/api/v1/searches/lessons',
  access: 'searches:report',
  group: 'searches',
  summary: 'What the search has learned from use',
  query: lessonQuery,
  status: 200,
  answer: lessonPage,

  handle({ registry, search: { lessons, learning } }, { query }) {
    const toolId = query.tool === undefined ? undefined : getTool(registry, query.tool).id
    const names = new Map(registry.catalog.allTools().map(({ id, name }) => [id, name]))
    const wanted = lessons.all().filter((lesson) => toolId === undefined || lesson.toolId === toolId)
    const { items, info } = pageOf(wanted, query)
    return {
      learning,
      lessons: items.map((lesson) => ({
        tool: names.get(lesson.toolId) ?? null,
        query: lesson.text,
        principal: lesson.principal,
        learned_at: isoTime(lesson.learnedAt),
      })),
      ...info,
    }
  },
})

export const forgetLessons = endpoint({
  method: 'DELETE',
  path: '/api/v1/searches/lessons',
  access: 'searches:delete',
  group: 'searches',
  summary: 'Forget what the search has learned, of one tool or of all',
  query: lessonRemoval,
  status: 200,
  answer: lessonsRemoved,

  async handle({ registry, search: { lessons } }, { query: { tool } }) {
    return { removed: await lessons.forget(tool === undefined ? undefined : getTool(registry, tool).id) }
  },
})
