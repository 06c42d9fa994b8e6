import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Target, TargetType } from '../../api/client'
import { changesOf, configOf, GROUPS, isLong, labelOf, missing, startValues } from './fields'

interface Kind {
  id: string
  title: string
  group: string
  driver: string
  fields: Partial<TargetType['fields'][number]>[]
}

// Read and not imported: the console is built where the sources of the master are not.
const kinds = JSON.parse(readFileSync(new URL('../../../../src/core/domain/catalogue/kinds.json', import.meta.url), 'utf8')) as Kind[]
const field = (name: string, more: Partial<TargetType['fields'][number]> = {}) => ({ name, help: '', required: false, secret: false, ...more })
const type: TargetType = { type: 's3', title: 'S3', group: 's3', driver: 's3', options: false, fields: [field('bucket', { required: true }), field('region', { default: 'us-east-1' }), field('secretAccessKey', { secret: true, required: true })] }
const target: Target = { id: 1, name: 'a', type: 's3', version: 1, createdAt: '', reach: 'everywhere', config: { bucket: 'one' }, secretsSet: ['secretAccessKey'] }

describe('a form out of the catalogue', () => {
  it('begins with what is taken anyway, and never with a secret', () => {
    expect(startValues(type)).toEqual({ bucket: '', region: 'us-east-1', secretAccessKey: '' })
    expect(startValues(type, target)).toEqual({ bucket: 'one', region: '', secretAccessKey: '' })
  })

  it('asks for what is required, but not again for a secret that is set', () => {
    expect(missing(type, startValues(type))).toEqual(['bucket', 'secretAccessKey'])
    expect(missing(type, startValues(type, target), target)).toEqual([])
  })

  it('sends what differs from the default', () => {
    expect(configOf(type, { bucket: ' one ', region: 'us-east-1', secretAccessKey: ' s ' })).toEqual({ bucket: 'one', secretAccessKey: ' s ' })
  })

  it('changes only what was changed', () => {
    expect(changesOf(type, { bucket: 'one', region: 'eu', secretAccessKey: '' }, target)).toEqual({ region: 'eu' })
    expect(changesOf(type, { bucket: '', region: '', secretAccessKey: 'new' }, target)).toEqual({ bucket: '', secretAccessKey: 'new' })
  })

  it('makes words of names', () => {
    expect([labelOf('secretAccessKey'), labelOf('client_id'), labelOf('2fa')]).toEqual(['Secret access key', 'Client id', '2fa'])
  })

  it('gives room to long secrets', () => {
    expect([isLong(field('key_pem')), isLong(field('service_account_file')), isLong(field('pass'))]).toEqual([true, false, false])
  })

  it('knows the group of every kind there is', () => {
    for (const kind of kinds) expect(GROUPS, kind.id).toContain(kind.group)
  })

  it('can be filled in for every kind there is', () => {
    for (const kind of kinds) {
      const whole = { type: kind.id, title: kind.title, group: kind.group, driver: kind.driver, options: false, fields: kind.fields.map((one) => ({ ...field(one.name ?? ''), ...one })) } as TargetType
      const filled = Object.fromEntries(whole.fields.map((one) => [one.name, one.options?.[0] ?? 'x']))
      expect(missing(whole, filled), kind.id).toEqual([])
    }
  })
})
