import { strict as assert } from 'node:assert'
import { existsSync } from 'node:fs'
import { filesBelow, readText, root, sources } from './sources.ts'

interface Manifest {
  readonly license: string
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
}

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>>
}

const manifest = JSON.parse(readText('package.json')) as Manifest

describe('the project', () => {
  it('has a lockfile that names no registry', () => {
    const lock = readText('package-lock.json')
    assert.doesNotMatch(lock, /"resolved"/)
    assert.doesNotMatch(lock, /"https?:\/\/[^"]*\.tgz/)
    assert.match(readText('.npmrc'), /^omit-lockfile-registry-resolved=true$/m)
    assert.doesNotMatch(readText('.npmrc'), /registry *=/)
  })

  it('has a lockfile that knows the packages of other systems too, for `npm ci` refuses one that does not', () => {
    const { packages } = JSON.parse(readText('package-lock.json')) as Lockfile
    const missing = Object.values(packages)
      .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
      .filter((name) => packages[`node_modules/${name}`] === undefined)
    assert.deepEqual(missing, [])
  })

  it('is under the MIT licence, in the file and in the manifest', () => {
    assert.match(readText('LICENSE'), /^MIT License/)
    assert.equal(manifest.license, 'MIT')
  })

  it('keeps a changelog with an open block', () => {
    assert.match(readText('CHANGELOG.md'), /^## \[?unreleased\]?$/im)
  })

  it('uses every package it depends on, and depends on every package it uses', () => {
    const used = new Set(sources().flatMap(({ packages }) => packages))
    const named = { ...manifest.dependencies, ...manifest.optionalDependencies }
    assert.deepEqual([...used].sort(), Object.keys(named).sort())
  })

  it('has the files that the documents lead to', () => {
    const missing = documents().flatMap((path) =>
      linksIn(path).filter((target) => !existsSync(new URL(target, new URL(path, root)))),
    )
    assert.deepEqual(missing, [])
  })
})

describe('the sources', () => {
  it('stay under 300 lines a file', () => {
    const long = sources()
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > 300)
    assert.deepEqual(long, [])
  })

  it('export by name only', () => {
    assert.deepEqual(
      sources()
        .filter(({ text }) => /^export default\b/m.test(text))
        .map(({ path }) => path),
      [],
    )
  })

  it('leave nothing for later', () => {
    const open = sources()
      .filter(({ text }) => /\b(TODO|FIXME|XXX)\b/.test(text))
      .map(({ path }) => path)
    assert.deepEqual(open, [])
  })
})

describe('the documents', () => {
  it('name no path of the machine they were written on and no registry', () => {
    const machine = /(?<![\w.])\/(work|tmp\/brief|home\/\w+|root)\//
    const registry = /registry\.npm|\bnpmjs\.(org|com)|\.pkg\.dev/
    const bad = documents().filter((path) => machine.test(readText(path)) || registry.test(readText(path)))
    assert.deepEqual(bad, [])
  })
})

function documents(): string[] {
  const top = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md']
  return [...top, ...filesBelow('docs', '.md')].filter((path) => existsSync(new URL(path, root)))
}

/** Files that a document links to, as it writes them; addresses and places inside a page left out. */
function linksIn(path: string): string[] {
  return [...readText(path).matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
    .map((match) => match[1] as string)
    .filter((target) => !/^[a-z]+:/.test(target))
}
