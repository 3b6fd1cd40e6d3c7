import assert from 'node:assert/strict'
import { asciiName, encodeName, readName, reverseName } from '../../../src/check/dns/name.ts'

describe('a DNS name', () => {
  it('is its labels with their lengths', () => {
    assert.deepEqual(encodeName('www.example'), Buffer.from('\x03www\x07example\0', 'latin1'))
    assert.deepEqual(encodeName('www.example.'), encodeName('www.example'))
    assert.deepEqual(encodeName(''), Buffer.from([0]))
  })

  it('cannot have empty or long labels, nor be long', () => {
    assert.throws(() => encodeName('a..b'), RangeError)
    assert.throws(() => encodeName('.a'), RangeError)
    assert.throws(() => encodeName(`${'a'.repeat(64)}.b`), /longer than 63/)
    assert.throws(() => encodeName(`${'a.'.repeat(128)}b`), /longer than 255/)
    assert.equal(encodeName(`${'a'.repeat(63)}.b`).length, 67)
  })

  it('is read across pointers, and ends after the first of them', () => {
    const bytes = Buffer.from('\x04test\0\x07example\xc0\0\x03www\xc0\x06', 'latin1')
    assert.deepEqual(readName(bytes, 16), { name: 'www.example.test', end: 22 })
    assert.deepEqual(readName(bytes, 0), { name: 'test', end: 6 })
  })

  it('never leads in circles', () => {
    const circle = Buffer.from('\xc0\x02\xc0\0', 'latin1')
    assert.throws(() => readName(circle, 0), /itself or forwards/)
    assert.throws(() => readName(circle, 2), /itself or forwards/)
    const growing = Buffer.from('\x01a\xc0\0', 'latin1')
    assert.throws(() => readName(growing, 0), /itself or forwards/)
  })

  it('is bounded though pointers repeat a part of it', () => {
    const label = Buffer.concat([Buffer.from([63]), Buffer.alloc(63, 'a')])
    const bytes = Buffer.concat([label, label, label, label, Buffer.from([0])])
    assert.throws(() => readName(bytes, 0), /too long/)
  })

  it('shows a dot within a label as escaped', () => {
    assert.equal(readName(Buffer.from('\x03a.b\x01c\0', 'latin1'), 0).name, 'a\\.b.c')
  })

  it('is made of an address for the reverse tree', () => {
    assert.equal(reverseName('192.0.2.10'), '10.2.0.192.in-addr.arpa')
    assert.equal(reverseName('::1'), `1${'.0'.repeat(31)}.ip6.arpa`)
    assert.equal(reverseName('2001:DB8::10').slice(0, 7), '0.1.0.0')
  })

  it('is asked for in ASCII', () => {
    assert.equal(asciiName('_sip.Example'), '_sip.Example')
    assert.equal(asciiName('bücher.example'), 'xn--bcher-kva.example')
  })
})
