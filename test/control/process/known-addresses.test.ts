import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import type { Load } from '../../../src/config/load.ts'
import { createKnownAddresses, type KnownAddresses } from '../../../src/control/process/known-addresses.ts'
import { temporaryFolder } from '../../log/temporary.ts'
import { configOf } from '../stage.ts'

describe('The addresses that names had last', () => {
  const folder = temporaryFolder()
  const told: string[] = []
  beforeEach(() => {
    told.length = 0
  })
  const open = (name: string): KnownAddresses =>
    createKnownAddresses({
      path: folder.path(name),
      tell: (event) => void ((event.kind === 'note' || event.kind === 'config-diagnostic') && told.push(event.text)),
    })
  const named = (addresses: ReadonlyMap<string, string>) => ({ ...configOf([]), addresses })
  /** A file in which `web` does not answer; says what it was given. */
  const silent = (given: ReadonlyMap<string, string>[]): Load => {
    const load = { config: { ...configOf([]), unresolved: ['web'] }, diagnostics: [], text: '' }
    return {
      ...load,
      assuming: (known) => {
        given.push(known)
        return { ...load, assumed: [{ name: 'web', family: 4, address: known.get('4 web') ?? 'none' }] }
      },
    }
  }

  it('are there for a start whose names do not answer, and are told', async () => {
    const first = open('a')
    first.onConfig?.(named(new Map([['4 web', '10.0.0.1']])))
    first.onConfig?.(named(new Map([['4 web', '10.0.0.2']])))
    await first.stop?.()
    const given: ReadonlyMap<string, string>[] = []
    await open('a').complete(silent(given))
    assert.deepEqual(given, [new Map([['4 web', '10.0.0.2']])])
    assert.deepEqual(told, ['The name web does not answer: its last address is used, 10.0.0.2'])
  })

  it('are not asked for where all names answer, and not written for a file without names', async () => {
    const load = { config: configOf([]), diagnostics: [], text: '', assuming: () => assert.fail('asked') }
    const addresses = open('none')
    assert.equal(await addresses.complete(load), load)
    addresses.onConfig?.(configOf([]))
    await addresses.stop?.()
    assert.throws(() => readFileSync(folder.path('none')), { code: 'ENOENT' })
  })

  it('stop nothing when the record is broken or cannot be written', async () => {
    writeFileSync(folder.path('broken'), '{"version":')
    writeFileSync(folder.path('file'), '')
    const given: ReadonlyMap<string, string>[] = []
    await open('broken').complete(silent(given))
    assert.deepEqual(given, [new Map()])
    const nowhere = open('file/x')
    for (const address of ['10.0.0.1', '10.0.0.2']) nowhere.onConfig?.(named(new Map([['4 web', address]])))
    await nowhere.stop?.()
    assert.equal(told.filter((text) => text.startsWith('The addresses of names cannot be kept')).length, 1)
  })
})
