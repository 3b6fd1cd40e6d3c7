import assert from 'node:assert/strict'
import { type Companion, createCompanions } from '../../src/control/companion.ts'
import type { Event } from '../../src/model/events.ts'
import { configOf } from './stage.ts'

const note: Event = { kind: 'note', text: 'hello' }

describe('Companions', () => {
  /** Writes down each call. */
  const scribe = (name: string, said: string[], more: Partial<Companion> = {}): Companion => ({
    name,
    tell: (event) => void said.push(`${name}: ${event.kind === 'fault' ? event.text.split('\n')[0] : event.kind}`),
    onChange: () => void said.push(`${name}: change`),
    ...more,
  })
  const fails = (): never => {
    throw new Error('out of order')
  }

  it('hear everything in the order in which they came, and what they have no ear for passes by', () => {
    const said: string[] = []
    const all = createCompanions()
    all.add(scribe('one', said))
    all.add({ name: 'deaf' })
    all.tell(note)
    all.add(scribe('two', said, { onReload: (stage) => void said.push(`two: ${stage}`) }))
    all.tell(note)
    all.onConfig(configOf([]))
    all.onReload('begun')
    all.onReload('ended')
    all.onChange()
    assert.deepEqual(said, [
      'one: note',
      'one: note',
      'two: note',
      'two: begun',
      'two: ended',
      'one: change',
      'two: change',
    ])
  })

  it('that throw are told of to the others and disturb nobody', () => {
    const said: string[] = []
    const all = createCompanions()
    all.add(scribe('one', said))
    all.add(scribe('bad', said, { onChange: fails }))
    all.add(scribe('two', said))
    all.onChange()
    const fault = 'bad: Error: out of order'
    assert.deepEqual(said, ['one: change', `one: ${fault}`, `two: ${fault}`, 'two: change'])
  })

  it('that throw at being told are told of once, also when two do', () => {
    const said: string[] = []
    const all = createCompanions()
    all.add(scribe('one', said))
    all.add({ name: 'bad', tell: fails })
    all.add({ name: 'worse', tell: fails })
    all.tell(note)
    const faults = ['bad', 'worse'].map((name) => `one: ${name}: Error: out of order`)
    assert.deepEqual(said, ['one: note', ...faults])
  })

  it('stop one after the other, the last that came first, and one that fails keeps none of them', async () => {
    const said: string[] = []
    const all = createCompanions()
    const stopping = (name: string): Partial<Companion> => ({
      stop: async () => {
        await Promise.resolve()
        said.push(`${name}: stop`)
      },
    })
    all.add(scribe('one', said, stopping('one')))
    all.add({ name: 'bad', stop: async () => fails() })
    all.add({ name: 'without' })
    all.add(scribe('two', said, stopping('two')))
    await all.stop()
    const fault = 'bad: Error: out of order'
    assert.deepEqual(said, ['two: stop', `one: ${fault}`, `two: ${fault}`, 'one: stop'])
  })
})
