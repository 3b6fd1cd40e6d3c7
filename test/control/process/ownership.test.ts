import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { marksOf } from '../../../src/control/left-behind.ts'
import { createOwnership, type Ownership, ownershipFileOf } from '../../../src/control/process/ownership.ts'
import { serviceKeyOf } from '../../../src/model/service.ts'
import { temporaryFolder } from '../../log/temporary.ts'
import { configOf, createStage, vip, virtual } from '../stage.ts'

const vip81 = { ...vip, port: 81 } as const
const { real } = createStage()
const web = virtual({ reals: [real('10.0.0.1')], fallback: '127.0.0.1' })
const mail = virtual({ id: vip81, reals: [real('10.0.0.2')] })
const keys = [serviceKeyOf(vip), serviceKeyOf(vip81)]

describe('The record of what is ours in the table', () => {
  const folder = temporaryFolder()
  const told: string[] = []
  const owned = new Set<string>()
  beforeEach(() => {
    told.length = 0
    owned.clear()
  })
  const path = (instance = 'a.cf'): string => ownershipFileOf(instance, folder.path('.'))
  const open = (instance?: string): Ownership =>
    createOwnership({
      path: path(instance),
      tell: (event) => void (event.kind === 'note' && told.push(event.text)),
      owns: (key) => owned.has(key),
    })

  it('is there for the next start, with everything that its services may have', () => {
    const first = open()
    assert.deepEqual(first.before, new Map())
    first.onConfig?.(configOf([web, mail]))
    assert.deepEqual(open().before, marksOf(configOf([web, mail])))
    assert.deepEqual(JSON.parse(readFileSync(path(), 'utf8')), {
      version: 1,
      services: {
        'tcp:192.0.2.1:80': { scheduler: 'rr', destinations: ['10.0.0.1:80', '127.0.0.1:80'] },
        'tcp:192.0.2.1:81': { scheduler: 'rr', destinations: ['10.0.0.2:80'] },
      },
    })
    assert.deepEqual(told, [])
  })

  it('keeps what left the file until it has left the table', () => {
    const first = open()
    first.onConfig?.(configOf([web, mail]))
    first.onConfig?.(configOf([web]))
    assert.deepEqual([...open().before.keys()].sort(), keys)
    for (const key of keys) owned.add(key)
    first.onChange?.()
    assert.deepEqual([...open().before.keys()].sort(), keys)
    owned.delete(serviceKeyOf(vip81))
    first.onChange?.()
    assert.deepEqual([...open().before.keys()], [serviceKeyOf(vip)])
  })

  it('keeps what the instance before left behind until this one has removed it, also when it is killed on its way', () => {
    open().onConfig?.(configOf([web, mail]))
    open().onConfig?.(configOf([web]))
    assert.deepEqual([...open().before.keys()].sort(), keys)
  })

  it('ends with a plain stop', () => {
    const first = open()
    first.onConfig?.(configOf([web]))
    first.forget()
    assert.equal(existsSync(path()), false)
    assert.deepEqual(open().before, new Map())
    first.forget()
  })

  it('yields to another instance that has the service now', () => {
    open().onConfig?.(configOf([web, mail]))
    open('b.cf').onConfig?.(configOf([mail]))
    assert.deepEqual([...open().before.keys()], [serviceKeyOf(vip)])
  })

  it('that can not be understood, its own or a neighbour, makes nothing ours, and is told', () => {
    for (const [name, text] of [
      ['a.cf', '{"version":2,"services":{}}'],
      ['a.cf', '{"version":1,"services":{"tcp:192.0.2.1:80":{"scheduler":1}}}'],
      ['b.cf', 'null'],
    ] as const) {
      open().onConfig?.(configOf([web]))
      writeFileSync(path(name), text)
      told.length = 0
      assert.deepEqual(open().before, new Map())
      assert.deepEqual(told, [`It is not known which virtual services were ours: ${path()}: it is no record of ours`])
    }
  })

  it('that can not be written is told once, and the daemon goes on', () => {
    writeFileSync(folder.path('ldirectord-ng'), 'a file where the folder should be')
    const first = open()
    first.onConfig?.(configOf([web]))
    first.onConfig?.(configOf([mail]))
    first.forget()
    assert.equal(told.length, 1)
  })

  it('is a plain file: a folder in its place is told', () => {
    mkdirSync(path(), { recursive: true })
    const first = open()
    assert.deepEqual(first.before, new Map())
    assert.equal(told.length, 1)
    first.onConfig?.(configOf([web]))
    assert.equal(told.length, 1)
  })
})
