// Forms of storage out of the catalogue: what is asked, what stands there at first, and what is sent.
import type { Schemas, Target, TargetType } from '../../api/client'

export type Field = Schemas['TargetField']
export type Values = Readonly<Record<string, string>>

/** What stands in a form at first: what is set, else what is taken when nothing is given. Secrets are never told. */
export function startValues(type: TargetType, target?: Target): Values {
  return Object.fromEntries(type.fields.map((field) => [field.name, field.secret ? '' : (target?.config[field.name] ?? (target ? '' : (field.default ?? '')))]))
}

/** Required fields that are still empty. A secret that is set already may stay so. */
export function missing(type: TargetType, values: Values, target?: Target): string[] {
  return type.fields.filter((field) => field.required && (values[field.name] ?? '').trim() === '' && !(field.secret && target?.secretsSet.includes(field.name))).map((field) => field.name)
}

/** Settings to make a target with: what is given and not what is taken anyway. */
export function configOf(type: TargetType, values: Values, more: Values = {}): Record<string, string> {
  const given = type.fields.flatMap((field) => {
    const value = cleaned(field, values[field.name])
    return value === '' || value === field.default ? [] : [[field.name, value] as const]
  })
  return { ...Object.fromEntries(given), ...more }
}

/** Settings that differ from those that are there: an empty one takes a setting away, an empty secret changes nothing. */
export function changesOf(type: TargetType, values: Values, target: Target): Record<string, string> {
  const changed = type.fields.flatMap((field) => {
    const value = cleaned(field, values[field.name])
    if (field.secret) return value === '' ? [] : [[field.name, value] as const]
    return value === (target.config[field.name] ?? '') ? [] : [[field.name, value] as const]
  })
  return Object.fromEntries(changed)
}

/** A secret may begin or end with a space; nothing else does on purpose. */
function cleaned(field: Field, value = ''): string {
  return field.secret ? value : value.trim()
}

/** A name of a setting as a label: `secretAccessKey` and `client_id` are words. */
export function labelOf(name: string): string {
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replaceAll('_', ' ').toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Long secrets, as keys in PEM and tokens in JSON, want room. */
export function isLong(field: Field): boolean {
  return /(pem|credentials|token|cookies|known_hosts)$/i.test(field.name) && !field.name.endsWith('file')
}

export const GROUPS = ['own', 's3', 'cloud', 'network', 'drive', 'bridge'] as const
export type Group = (typeof GROUPS)[number]

/** The group of a kind; one that is new to the console stands with the clouds. */
export function groupOf(type: TargetType): Group {
  return GROUPS.find((group) => group === type.group) ?? 'cloud'
}
