import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const LANGUAGES = ['en', 'zh-CN']
const SOURCES = join(import.meta.dirname, '..')

interface Words { [key: string]: string | Words }

function words(language: string): Map<string, string> {
  const folder = join(import.meta.dirname, language)
  const found = new Map<string, string>()
  const walk = (part: Words, path: string) => {
    for (const [key, value] of Object.entries(part)) {
      if (typeof value === 'string') found.set(path + key, value)
      else walk(value, `${path}${key}.`)
    }
  }
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    walk(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Words, '')
  }
  return found
}

/** Languages have as many forms of a plural as they have; the key in front is one and the same. */
const base = (key: string) => key.replace(/_(zero|one|two|few|many|other)$/, '')
const keys = (language: string) => [...new Set([...words(language).keys()].map(base))].sort()
const slots = (text: string) => new Set([...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]))

describe('messages', () => {
  it('are the same in every language', () => {
    for (const language of LANGUAGES) expect(keys(language), language).toEqual(keys('en'))
  })

  it('have words for every key', () => {
    for (const language of LANGUAGES) {
      for (const [key, text] of words(language)) expect(text.trim(), `${language} ${key}`).not.toBe('')
    }
  })

  it('name nothing that the English ones do not', () => {
    const english = words('en')
    for (const language of LANGUAGES) {
      for (const [key, text] of words(language)) {
        const known = slots([english.get(key), english.get(`${base(key)}_other`), english.get(`${base(key)}_one`)].filter(Boolean).join(' '))
        for (const slot of slots(text)) expect([...known, 'count'], `${language} ${key}`).toContain(slot)
      }
    }
  })

  it('have every form that their language counts with', () => {
    for (const language of LANGUAGES) {
      const all = words(language)
      const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories
      for (const key of all.keys()) {
        if (base(key) === key) continue
        for (const form of forms) expect(all.has(`${base(key)}_${form}`), `${language} ${base(key)}_${form}`).toBe(true)
      }
    }
  })
})

/** Attributes that people see or hear. */
const SPOKEN = new Set(['label', 'title', 'alt', 'placeholder', 'hint', 'name', 'lead', 'action', 'aria-label', 'aria-description', 'aria-valuetext'])
/** What is the same in every language: an example of an address or a path, the name of a field of a form, the name of an icon. */
const TECHNICAL: Record<string, RegExp> = { placeholder: /^\S+$/, name: /^[a-z]+$/ }

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return files(path)
    return entry.name.endsWith('.tsx') ? [path] : []
  })
}

function textsIn(path: string): string[] {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX)
  const found: string[] = []
  const note = (node: ts.Node, text: string) => {
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1
    found.push(`${path.slice(SOURCES.length + 1)}:${line} ${text.trim()}`)
  }
  const visit = (node: ts.Node) => {
    if (ts.isJsxText(node) && /\p{L}{2,}/u.test(node.text)) note(node, node.text)
    if (ts.isJsxAttribute(node) && node.initializer && SPOKEN.has(node.name.getText())) {
      const value = ts.isStringLiteral(node.initializer) ? node.initializer : ts.isJsxExpression(node.initializer) ? node.initializer.expression : undefined
      if (value && ts.isStringLiteral(value) && /\p{L}{2,}/u.test(value.text) && !TECHNICAL[node.name.getText()]?.test(value.text)) note(node, value.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

describe('code', () => {
  it('holds no text of its own', () => {
    expect(files(SOURCES).flatMap(textsIn)).toEqual([])
  })

  it('keeps its pages short', () => {
    const long = files(SOURCES).filter((path) => readFileSync(path, 'utf8').split('\n').length > 300)
    expect(long).toEqual([])
  })
})
