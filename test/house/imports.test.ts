import { strict as assert } from 'node:assert'
import { type Source, sources } from './sources.ts'

/** What each folder may import beside itself: the table of CONTRIBUTING.md. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'src/lib': [],
  'src/model': ['src/lib'],
  'src/check': ['src/lib', 'src/model'],
  'src/config': ['src/lib', 'src/model', 'src/check'],
  'src/health': ['src/lib', 'src/model', 'src/check', 'src/config'],
  'src/table': ['src/lib', 'src/model', 'src/check', 'src/config', 'src/health'],
  'src/backend': ['src/lib', 'src/model', 'src/table'],
  'src/control': ['src/lib', 'src/model', 'src/check', 'src/config', 'src/health', 'src/table'],
  'src/alert': ['src/lib', 'src/model', 'src/config'],
  'src/doctor': ['src/lib', 'src/model', 'src/config'],
  'src/api': ['src/lib', 'src/model', 'src/check', 'src/config', 'src/health', 'src/table', 'src/control'],
  'src/log': ['src/lib', 'src/model', 'src/check', 'src/config', 'src/health', 'src/table', 'src/control'],
  'src/cli': [
    'src/lib',
    'src/model',
    'src/check',
    'src/config',
    'src/health',
    'src/table',
    'src/control',
    'src/log',
    'src/alert',
    'src/api',
    'src/doctor',
  ],
  checks: ['src/lib', 'src/model', 'src/check'],
}

/** The composition root and the list of checks know more than their folder. */
const isRoot = (path: string): boolean => path === 'src/main.ts'

function roomOf(path: string): string {
  const [top = '', folder = ''] = path.split('/')
  return top === 'src' ? `src/${folder}` : top
}

function forbidden({ path, own }: Source): string[] {
  const room = roomOf(path)
  const allowed = mayImport[room]
  if (allowed === undefined) return [`${path}: ${room} has no line in the table of imports`]
  return own
    .filter((target) => roomOf(target) !== room && !allowed.includes(roomOf(target)))
    .map((target) => `${path} imports ${target}`)
}

/** Walks along the imports that are left at run time and tells each way that comes back to where it was. */
function findCycles(all: readonly Source[]): string[] {
  const importsOf = new Map(all.map((source) => [source.path, source.ownAtRun]))
  const finished = new Set<string>()
  const cycles: string[] = []
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '))
    if (finished.has(path) || trail.includes(path)) return
    for (const next of importsOf.get(path) ?? []) walk(next, [...trail, path])
    finished.add(path)
  }
  for (const { path } of all) walk(path, [])
  return cycles
}

describe('the direction of imports', () => {
  const all = sources()

  it('lets every folder import only what stands below it', () => {
    assert.ok(all.length > 10, 'the sources were found')
    assert.deepEqual(
      all.filter(({ path }) => !isRoot(path)).flatMap((source) => forbidden(source)),
      [],
    )
  })

  it('lets only main.ts know the kernel adapter and the list of checks', () => {
    const hidden = (target: string): boolean => target.startsWith('src/backend/') || target === 'checks/index.ts'
    const users = all.filter(
      ({ path, own }) => !path.startsWith('src/backend/') && own.some((target) => hidden(target)),
    )
    assert.deepEqual(
      users.map(({ path }) => path).filter((path) => !isRoot(path)),
      [],
    )
  })

  it('has no circle of imports', () => {
    assert.deepEqual(findCycles(all), [])
  })

  it('keeps every package behind one file', () => {
    const users = new Map<string, Set<string>>()
    for (const { path, packages } of all) {
      for (const name of packages) users.set(name, (users.get(name) ?? new Set()).add(path))
    }
    const shared = [...users].filter(([, paths]) => paths.size > 1).map(([name, paths]) => `${name}: ${[...paths]}`)
    assert.deepEqual(shared, [])
  })

  it('imports no barrel', () => {
    const barrels = all.flatMap(({ path, own }) =>
      own
        .filter((target) => target.endsWith('/index.ts') && !isRoot(path))
        .map((target) => `${path} imports ${target}`),
    )
    assert.deepEqual(barrels, [])
  })
})

describe('the search for circles', () => {
  it('finds one', () => {
    const source = (path: string, own: string[]): Source => ({ path, own, ownAtRun: own, text: '', packages: [] })
    assert.deepEqual(findCycles([source('a', ['b']), source('b', ['c']), source('c', ['b'])]), ['b -> c -> b'])
    assert.deepEqual(findCycles([source('a', ['b', 'c']), source('b', ['c']), source('c', [])]), [])
  })
})
