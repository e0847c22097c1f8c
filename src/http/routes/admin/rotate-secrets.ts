import { rotationAnswer } from '#contract/secrets'
import { endpoint } from '../../endpoint.ts'

export const rotateSecrets = endpoint({
  method: 'POST',
  path: '/api/v1/admin/secrets/rotate',
  access: 'secrets:rotate',
  group: 'admin',
  summary: 'Seal all stored secrets anew, with a key that is made now or the one that is set',
  status: 200,
  answer: rotationAnswer,

  async handle(context) {
    const { keyId, isNew, resealed, locked } = await context.rotateSecrets()
    return { key_id: keyId, is_new: isNew, resealed, locked }
  },
})
