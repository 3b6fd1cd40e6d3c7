import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  attributeType,
  decodePacket,
  encodePacket,
  hidePassword,
  isGenuine,
  type Packet,
  signPacket,
} from '../../../src/check/radius/packet.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

/** RFC 2865 section 7.1: nemo logs in with `arctangent`; the shared secret is `xyzzy5461`. */
const secret = Buffer.from('xyzzy5461')
const authenticator = hex('0f403f94 73978057 bd83d5cb 98f4227a')
const request = hex(`01000038 0f403f94 73978057 bd83d5cb 98f4227a 0106 6e656d6f
  0212 0dbe708d93d413ce3196e43f782a0aee 0406 c0a80110 0506 00000003`)
const accept = hex(`02000026 86fe220e 7624ba2a 1005f6bf 9b55e0b2 0606 00000001 0f06 00000000 0e06 c0a80103`)

describe('a RADIUS packet', () => {
  const password = hidePassword(Buffer.from('arctangent'), secret, authenticator)
  const packet: Packet = {
    code: 1,
    identifier: 0,
    authenticator,
    attributes: [
      { type: attributeType.userName, value: Buffer.from('nemo') },
      { type: attributeType.userPassword, value: password },
      { type: attributeType.nasIpAddress, value: hex('c0a80110') },
      { type: 5, value: hex('00000003') },
    ],
  }

  it('is encoded as in the example of the RFC', () => assert.deepEqual(encodePacket(packet), request))

  it('is decoded as in the example, without what stands behind its length', () => {
    const decoded = decodePacket(Buffer.concat([accept, Buffer.from('padding')]))
    assert.deepEqual(decoded?.bytes, accept)
    assert.equal(decoded?.packet.code, 2)
    assert.deepEqual(
      decoded?.packet.attributes.map(({ type, value }) => [type, value.toString('hex')]),
      [
        [6, '00000001'],
        [15, '00000000'],
        [14, 'c0a80103'],
      ],
    )
  })

  it('is genuine with the secret and the request it answers, and with no other', () => {
    assert.equal(isGenuine(accept, authenticator, secret), true)
    assert.equal(isGenuine(accept, authenticator, Buffer.from('xyzzy5462')), false)
    assert.equal(isGenuine(accept, Buffer.alloc(16), secret), false)
    for (const at of [0, 1, 4, 22, 37]) {
      const changed = Buffer.from(accept)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      assert.equal(isGenuine(changed, authenticator, secret), false, `byte ${at}`)
    }
  })

  it('hides a password in blocks of 16 bytes, the empty one too', () => {
    const lengths = [0, 1, 16, 17, 128].map((n) => hidePassword(Buffer.alloc(n, 'a'), secret, authenticator).length)
    assert.deepEqual(lengths, [16, 16, 16, 32, 128])
    assert.throws(() => hidePassword(Buffer.alloc(129), secret, authenticator), RangeError)
    const mask = createHash('md5').update(secret).update(authenticator).digest()
    assert.deepEqual(hidePassword(Buffer.alloc(0), secret, authenticator), mask)
  })

  it('signs a request in its first attribute', () => {
    const signed = signPacket(packet, secret)
    assert.equal(signed.length, request.length + 18)
    assert.deepEqual([...signed.subarray(20, 22)], [80, 18])
    assert.notDeepEqual(signed.subarray(22, 38), Buffer.alloc(16))
    assert.deepEqual(signed.subarray(38), request.subarray(20))
  })

  it('looks at the signature of an answer where there is one', () => {
    const unsigned: Packet = { code: 2, identifier: 0, authenticator, attributes: [] }
    const answer = signPacket(unsigned, secret)
    const seal = (bytes: Buffer): Buffer => {
      createHash('md5').update(bytes).update(secret).digest().copy(bytes, 4)
      return bytes
    }
    const broken = Buffer.from(answer)
    broken.writeUInt8(broken.readUInt8(30) ^ 1, 30)
    assert.equal(isGenuine(seal(Buffer.from(answer)), authenticator, secret), true)
    assert.equal(isGenuine(seal(broken), authenticator, secret), false)
  })

  const broken: Readonly<Record<string, Buffer>> = {
    nothing: Buffer.alloc(0),
    'half a header': accept.subarray(0, 19),
    'a packet that is cut off': accept.subarray(0, -1),
    'a length below the header': hex(`02000013 ${'00'.repeat(16)}`),
    'an attribute of no length': hex(`02000016 ${'00'.repeat(16)} 0600`),
    'an attribute beyond the end': hex(`02000016 ${'00'.repeat(16)} 0607`),
    'half an attribute': hex(`02000015 ${'00'.repeat(16)} 06`),
  }
  for (const [title, bytes] of Object.entries(broken)) {
    it(`is none: ${title}`, () => {
      assert.equal(decodePacket(bytes), undefined)
      assert.equal(isGenuine(bytes, authenticator, secret), false)
    })
  }

  it('cannot hold a long attribute', () => {
    const attributes = [{ type: 1, value: Buffer.alloc(254) }]
    assert.throws(() => encodePacket({ ...packet, attributes }), RangeError)
  })
})
