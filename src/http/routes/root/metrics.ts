import { metricsText } from '#contract/welcome'
import { AppError } from '#kernel/errors'
import { endpoint, ReadyText } from '../../endpoint.ts'

export const getMetrics = endpoint({
  method: 'GET',
  path: '/metrics',
  access: 'metrics:read',
  group: 'root',
  summary: 'Metrics in the text format of Prometheus',
  status: 200,
  mediaType: 'text/plain',
  answer: metricsText,

  async handle({ metrics }) {
    if (!metrics) throw new AppError('not_found', 'No such address')
    return new ReadyText(await metrics.text(), metrics.contentType)
  },
})
