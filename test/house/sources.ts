import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'

/** The checkout, from the emitted file as well as from the source. */
export const root = new URL(import.meta.url.includes('/dist') ? '../../../' : '../../', import.meta.url)

export const readText = (path: string): string => readFileSync(new URL(path, root), 'utf8')

export interface Source {
  /** From the checkout's top, such as `src/lib/ip.ts`. */
  readonly path: string
  readonly text: string
  /** Files of the project it imports, from the top; types count too. */
  readonly own: readonly string[]
  /** Those of them that are still imported when the program runs. */
  readonly ownAtRun: readonly string[]
  /** Names of packages it imports, subpaths cut off; `node:` modules are not packages. */
  readonly packages: readonly string[]
}

/** `import … from 'x'`, `export … from 'x'`, `import 'x'`, `import('x')`, `new Worker(new URL('x'`. */
const importForms = [
  /^(?:import|export)\s+(?<type>type\s+)?[\w$*{},\s]+?\bfrom\s*['"](?<word>[^'"]+)['"]/gm,
  /^import\s*['"](?<word>[^'"]+)['"]/gm,
  /\bimport\(\s*['"](?<word>[^'"]+)['"]/g,
  /\bnew Worker\(new URL\(\s*['"](?<word>[^'"]+)['"]/g,
]

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')

interface Import {
  readonly word: string
  readonly typeOnly: boolean
}

function importsIn(text: string): Import[] {
  const code = withoutComments(text)
  const matches = importForms.flatMap((form) => [...code.matchAll(form)])
  // a thread's file is named as it is emitted
  const wordOf = (word = ''): string => (word.startsWith('.') ? word.replace(/\.js$/, '.ts') : word)
  return matches.map(({ groups }) => ({ word: wordOf(groups?.['word']), typeOnly: groups?.['type'] !== undefined }))
}

export function readSource(path: string): Source {
  const text = readText(path)
  const imports = importsIn(text)
  const own = imports.filter(({ word }) => word.startsWith('.'))
  const fromTop = (word: string): string => posix.join(posix.dirname(path), word)
  const foreign = imports.map(({ word }) => word).filter((word) => !word.startsWith('.') && !word.startsWith('node:'))
  return {
    path,
    text,
    own: own.map(({ word }) => fromTop(word)),
    ownAtRun: own.filter(({ typeOnly }) => !typeOnly).map(({ word }) => fromTop(word)),
    packages: foreign.map(packageName),
  }
}

function packageName(word: string): string {
  return word
    .split('/')
    .slice(0, word.startsWith('@') ? 2 : 1)
    .join('/')
}

/** Files below a folder, from the top, sorted; nothing when there is no such folder. */
export function filesBelow(folder: string, ending: string): string[] {
  return (readdirSync(new URL(`${folder}/`, root), { recursive: true }) as string[])
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name}`)
    .sort()
}

export const sources = (): Source[] => ['src', 'checks'].flatMap((top) => filesBelow(top, '.ts')).map(readSource)
