import assert from 'node:assert/strict'
import { type Lookup, lookUpNames, lookUpWithin, nameKey, systemLookup } from '../../src/config/names.ts'

const names = ['a', 'b', 'c'].map((name) => ({ name, family: 4 as const }))
const never: Promise<string> = new Promise(() => undefined)

describe('name look-ups', () => {
  it('ask for all names at once, each with its family', async () => {
    const asked: string[] = []
    let answer: (address: string) => void = () => undefined
    const gate = new Promise<string>((done) => {
      answer = done
    })
    const book = lookUpNames([...names, { name: 'a', family: 6 }], (name, family) => {
      asked.push(`${name}/${family}`)
      return family === 6 ? Promise.resolve('2001:DB8::1') : gate
    })
    assert.deepEqual(asked, ['a/4', 'b/4', 'c/4', 'a/6'])
    answer('10.0.0.1')
    assert.deepEqual(
      [...(await book)],
      [
        ['6 a', '2001:db8::1'],
        ['4 a', '10.0.0.1'],
        ['4 b', '10.0.0.1'],
        ['4 c', '10.0.0.1'],
      ],
    )
  })

  it('end in time when some names never answer, which keep their last good address', async () => {
    const lookup: Lookup = (name) => (name === 'b' ? Promise.resolve('10.0.0.2') : never)
    const lastGood = new Map([
      ['4 a', '10.0.0.9'],
      ['4 b', '10.0.0.9'],
    ])
    const book = await lookUpWithin(20, { names, lookup, lastGood })
    assert.deepEqual(Object.fromEntries(book), { '4 a': '10.0.0.9', '4 b': '10.0.0.2' })
  })

  it('never reject, whatever the resolver does', async () => {
    const lookup: Lookup = (name) => {
      if (name === 'a') throw new Error('thrown')
      return name === 'b' ? Promise.reject(new Error('rejected')) : Promise.resolve('not an address')
    }
    assert.deepEqual([...(await lookUpNames(names, lookup))], [])
  })

  it('do not change a book that is in use when an answer comes late', async () => {
    let answer: (address: string) => void = () => undefined
    const late = new Promise<string>((done) => {
      answer = done
    })
    const book = await lookUpWithin(5, { names, lookup: () => late, lastGood: new Map() })
    answer('10.0.0.1')
    await late
    await new Promise((done) => setImmediate(done))
    assert.equal(book.size, 0)
  })

  it('forget names that are no longer asked for', async () => {
    const book = await lookUpNames(names, async () => undefined, new Map([['4 gone', '10.0.0.1']]))
    assert.equal(book.has(nameKey({ name: 'gone', family: 4 })), false)
  })

  it('ask the system, which gives undefined for what it does not know', async () => {
    const answers = await Promise.all([
      systemLookup('127.0.0.1', 4),
      systemLookup('::1', 6),
      systemLookup('no such name', 4),
    ])
    assert.deepEqual(answers, ['127.0.0.1', '::1', undefined])
  })
})
