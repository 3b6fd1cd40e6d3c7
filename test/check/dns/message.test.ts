import assert from 'node:assert/strict'
import { encodeQuery, readReply } from '../../../src/check/dns/message.ts'

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s|\/\/.*$/gm, ''), 'hex')

/** A reply to `query`: its id and question, these flags, the answer section. */
function reply(query: Buffer, { flags = 0x8180, count = 0, answers = '' } = {}): Buffer {
  const head = Buffer.from(query)
  head.writeUInt16BE(flags, 2)
  head.writeUInt16BE(count, 6)
  return Buffer.concat([head, hex(answers)])
}

describe('a DNS message', () => {
  const query = encodeQuery(0xbed4, { name: 'a.example.test', type: 'A' })

  it('asks one question as Perl ldirectord does, byte for byte', () => {
    const golden = 'bed4 0100 0001 0000 0000 0000 0161 076578616d706c65 0474657374 00 0001 0001'
    assert.deepEqual(query, hex(golden))
  })

  it('asks for AAAA and PTR by their numbers', () => {
    assert.deepEqual(encodeQuery(1, { name: 'a', type: 'AAAA' }).subarray(12), hex('0161 00 001c 0001'))
    assert.deepEqual(encodeQuery(1, { name: 'a.', type: 'PTR' }).subarray(12), hex('0161 00 000c 0001'))
  })

  it('reads addresses and names, compressed or not, and tells other types by number', () => {
    const answers = `
      c00c 0005 0001 0000003c 0006 0377 7777 c00e                 // CNAME www.example.test
      c00c 0001 0001 0000003c 0004 c000020a                       // A
      0161 00 001c 0001 0000003c 0010 20010db8000000000000000000000010
      c00c 000c 0001 0000003c 0007 04 686f7374 c00e               // PTR host.example.test
    `
    assert.deepEqual(readReply(reply(query, { count: 4, answers }), query), {
      truncated: false,
      code: 0,
      answers: [
        { type: 5, value: '' },
        { type: 'A', value: '192.0.2.10' },
        { type: 'AAAA', value: '2001:db8::10' },
        { type: 'PTR', value: 'host.example.test' },
      ],
    })
  })

  it('takes the question in other letters for the same', () => {
    const shouting = encodeQuery(0xbed4, { name: 'A.EXAMPLE.TEST', type: 'A' })
    assert.deepEqual(readReply(reply(shouting), query), { truncated: false, code: 0, answers: [] })
  })

  it('tells a truncated reply without reading its answers', () => {
    const cut = reply(query, { flags: 0x8380, count: 9, answers: 'c00c' })
    assert.deepEqual(readReply(cut, query), { truncated: true, code: 0, answers: [] })
  })

  it('gives the response code, also where the question was left out', () => {
    assert.equal(readReply(reply(query, { flags: 0x8183 }), query)?.code, 3)
    assert.equal(readReply(hex('bed4 8185 0000 0000 0000 0000'), query)?.code, 5)
  })

  const strangers: Readonly<Record<string, Buffer>> = {
    'another id': reply(encodeQuery(1, { name: 'a.example.test', type: 'A' })),
    'another name': reply(encodeQuery(0xbed4, { name: 'b.example.test', type: 'A' })),
    'another type': reply(encodeQuery(0xbed4, { name: 'a.example.test', type: 'AAAA' })),
    'a query': query,
    'an update': reply(query, { flags: 0xa800 }),
    'no question, but no error': hex('bed4 8180 0000 0000 0000 0000'),
    'two questions': Buffer.concat([hex('bed4 8180 0002 0000 0000 0000'), query.subarray(12), query.subarray(12)]),
    'half a header': hex('bed4 8180 0001'),
    'half a question': reply(query).subarray(0, 20),
    nothing: Buffer.alloc(0),
  }
  for (const [title, bytes] of Object.entries(strangers)) {
    it(`is no reply to ours: ${title}`, () => assert.equal(readReply(bytes, query), undefined))
  }

  const broken: readonly [title: string, answers: string, message: RegExp][] = [
    ['fewer records than it says', '', /a name is cut off/],
    ['a record without its fields', 'c00c 0001', /a record is cut off/],
    ['a record beyond the end', 'c00c 0001 0001 0000003c 0004 c000', /longer than the message/],
    ['an address of three bytes', 'c00c 0001 0001 0000003c 0003 c00002', /wrong length/],
    ['a name that points at itself', 'c020 0001 0001 0000003c 0004 c000020a', /refers to itself or forwards/],
    ['a name that points forwards', 'c0ff 0001 0001 0000003c 0004 c000020a', /refers to itself or forwards/],
    ['a name of an unknown kind', '8001 0001 0001 0000003c 0004 c000020a', /unknown kind/],
    ['a label beyond the end', '3f61', /cut off/],
    ['half a pointer', 'c0', /cut off/],
  ]
  for (const [title, answers, message] of broken) {
    it(`cannot be read: ${title}`, () => {
      assert.throws(() => readReply(reply(query, { count: 1, answers }), query), message)
    })
  }

  it('can be read or refused whatever stands in it', () => {
    const whole = reply(query, {
      count: 2,
      answers: 'c00c 0001 0001 0000003c 0004 c000020a c00c 000c 0001 00000001 0002 c00c',
    })
    for (let at = 2; at < whole.length; at++) {
      for (const value of [0, 1, 0x3f, 0x40, 0x80, 0xc0, 0xff]) {
        const bytes = Buffer.from(whole)
        bytes[at] = value
        try {
          readReply(bytes, query)
        } catch (error) {
          assert.match(String(error), /^Failure: the reply cannot be read/)
        }
      }
    }
  })
})
