import assert from 'node:assert/strict'
import {
  formatIPv4,
  ipv4ToNumber,
  isContiguousMask,
  normaliseAddress,
  normaliseIPv6,
  parseIPv4,
} from '../../src/lib/ip.ts'

describe('IP addresses', () => {
  it('reads every number form that the C library takes', () => {
    const forms = ['10.9.9.1', '010.9.9.1', '10.1', '10.1.2', '5', '0x7f000001', '0x7F.1', '4294967295', '0']
    assert.deepEqual(
      forms.map((text) => parseIPv4(text)?.address),
      [
        '10.9.9.1',
        '8.9.9.1',
        '10.0.0.1',
        '10.1.0.2',
        '0.0.0.5',
        '127.0.0.1',
        '127.0.0.1',
        '255.255.255.255',
        '0.0.0.0',
      ],
    )
  })

  it('marks as unusual what is not four plain numbers', () => {
    const forms = ['10.9.9.1', '010.9.9.1', '10.1']
    assert.deepEqual(
      forms.map((text) => parseIPv4(text)?.unusual),
      [false, true, true],
    )
  })

  it('refuses what is no number form', () => {
    const wrong = [
      '',
      '256.1.1.1',
      '1.2.3.4.5',
      '08.1.1.1',
      '1..2',
      '4294967296',
      '10.16777216',
      '0x',
      'web1',
      '1.2.3.4 ',
      '-1',
    ]
    assert.deepEqual(
      wrong.filter((text) => parseIPv4(text) !== undefined),
      [],
    )
  })

  it('writes IPv6 in lower case and compressed, without zones', () => {
    const texts = ['2001:DB8:0::1', '2001:db8:0:0:0:0:0:2', '::', '::1', 'fe80::1%eth0', '2001:db8:::1', '10.0.0.1', '']
    assert.deepEqual(texts.map(normaliseIPv6), [
      '2001:db8::1',
      '2001:db8::2',
      '::',
      '::1',
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  it('takes from a resolver only addresses of the family that was asked for', () => {
    assert.deepEqual(
      [
        normaliseAddress('10.0.0.1', 4),
        normaliseAddress('::1', 4),
        normaliseAddress('::1', 6),
        normaliseAddress('x', 4),
      ],
      ['10.0.0.1', undefined, '::1', undefined],
    )
  })

  it('turns addresses into numbers and back', () => {
    for (const address of ['0.0.0.0', '59.154.201.255', '59.154.202.0', '255.255.255.255']) {
      assert.equal(formatIPv4(ipv4ToNumber(address)), address)
    }
    assert.equal(ipv4ToNumber('59.154.202.0') - ipv4ToNumber('59.154.201.255'), 1)
  })

  it('tells a netmask from one with a gap', () => {
    const masks = ['255.255.255.255', '255.255.255.0', '128.0.0.0', '255.0.255.0', '0.0.0.255']
    assert.deepEqual(masks.map(isContiguousMask), [true, true, true, false, false])
  })
})
