import type { LearnedQuery, LessonStore } from '#search/lessons'
import { readBody } from './row-body.ts'
import type { Database } from './schema.ts'

const DELETED_TOGETHER = 500

/** What the search learned from use. */
export function createLessonStore(db: Database): LessonStore {
  return {
    async list() {
      const rows = await db.selectFrom('search_lessons').select('body').orderBy('learned_at', 'desc').execute()
      return rows.map(({ body }) => readBody('search_lessons', body) as LearnedQuery)
    },
    async put(lesson) {
      const columns = { learned_at: Math.floor(lesson.learnedAt), body: JSON.stringify(lesson) }
      await db
        .insertInto('search_lessons')
        .values({ id: lesson.id, ...columns })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(columns))
        .execute()
    },
    async delete(ids) {
      for (let from = 0; from < ids.length; from += DELETED_TOGETHER) {
        const some = ids.slice(from, from + DELETED_TOGETHER)
        await db.deleteFrom('search_lessons').where('id', 'in', some).execute()
      }
    },
  }
}
