// Figures for people, in the language of the page: sizes, spans, instants.
import { language } from './i18n'

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

const made = new Map<string, unknown>()

/** Formatters are slow to make, so each is made once a language. */
function formatter<T>(name: string, make: (locale: string) => T): T {
  const locale = language()
  const key = `${locale} ${name}`
  const found = made.get(key)
  if (found !== undefined) return found as T
  const fresh = make(locale)
  made.set(key, fresh)
  return fresh
}

function decimal(value: number, digits: number): string {
  return formatter(`number ${digits}`, (locale) => new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits })).format(value)
}

/** Bytes as `1.4 GiB`. */
export function bytes(size: number): string {
  let value = size
  let unit = 0
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2
  return `${decimal(value, digits)} ${UNITS[unit] ?? ''}`
}

function part(value: number, unit: 'second' | 'minute' | 'hour' | 'day', digits = 0): string {
  return formatter(`span ${unit} ${digits}`, (locale) => new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short', minimumFractionDigits: digits, maximumFractionDigits: digits })).format(value)
}

/** Seconds as `3 min 5 sec`. */
export function span(seconds: number): string {
  if (seconds < 10) return part(Math.max(0, seconds), 'second', 1)
  const whole = Math.round(seconds)
  if (whole < 60) return part(whole, 'second')
  if (whole < 3600) return `${part(Math.floor(whole / 60), 'minute')} ${part(whole % 60, 'second')}`
  if (whole < 86_400) return `${part(Math.floor(whole / 3600), 'hour')} ${part(Math.floor((whole % 3600) / 60), 'minute')}`
  return `${part(Math.floor(whole / 86_400), 'day')} ${part(Math.floor((whole % 86_400) / 3600), 'hour')}`
}

/** Seconds between two instants; to `now` when the second is missing. */
export function secondsBetween(from: string, to: string | null | undefined, now: number): number {
  return ((to ? Date.parse(to) : now) - Date.parse(from)) / 1000
}

/** An instant in the reader's time zone. */
export function instant(at: string): string {
  return formatter('instant', (locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' })).format(new Date(at))
}

/** An instant in a time zone of its own, with its day of the week. */
export function instantIn(at: string, zone: string): string {
  return formatter(`instant ${zone}`, (locale) => new Intl.DateTimeFormat(locale, { weekday: 'short', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: zone })).format(new Date(at))
}

/** The day of an instant. */
export function day(at: string): string {
  return formatter('day', (locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium' })).format(new Date(at))
}

/** The exact instant, for those who compare it with a log: `2026-11-28 12:00:00 UTC`. */
export function exact(at: string): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** The time of day of an instant. */
export function timeOfDay(at: string): string {
  return formatter('time', (locale) => new Intl.DateTimeFormat(locale, { timeStyle: 'medium' })).format(new Date(at))
}

/** A number with separators. */
export function count(value: number): string {
  return decimal(value, 0)
}

/** A part of one as `12 %`. */
export function share(value: number): string {
  return formatter('share', (locale) => new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 })).format(value)
}

/** How far an instant is: `3 minutes ago`, `in 2 hours`. */
export function ago(at: string, now: number): string {
  const relative = formatter('relative', (locale) => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }))
  const seconds = Math.round((Date.parse(at) - now) / 1000)
  const size = Math.abs(seconds)
  if (size < 60) return relative.format(seconds, 'second')
  if (size < 3600) return relative.format(Math.round(seconds / 60), 'minute')
  if (size < 86_400) return relative.format(Math.round(seconds / 3600), 'hour')
  return relative.format(Math.round(seconds / 86_400), 'day')
}

/** Names as one phrase: `a, b and c`. */
export function listed(names: readonly string[]): string {
  return formatter('list', (locale) => new Intl.ListFormat(locale, { type: 'conjunction' })).format(names)
}

/** The master's words as a sentence: they come without a capital and a full stop. */
export function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?:。]$/.test(first) ? first : `${first}.`
}
