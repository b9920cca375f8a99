import { answer, attempt, guest, hex, kvm, print, proc } from 'lab'

const program = guest('guest.s')
const dev = await kvm.open()
const vm = await dev.createVm({ protected: true })
const ram = await vm.addMemory({ guestAddress: 0x4000_0000n, bytes: 18 * 4096 })
await ram.load(program)
const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)

const VAULT = program.symbol('VAULT')
const TABLE = program.symbol('TABLE')
const DOORBELL = program.symbol('DOORBELL')

await vcpu.run() // to the first ring
const vault = await attempt(ram.read64(VAULT))
print('the vault, by a load:', vault.ok ? hex(vault.value) : vault.error.code)

// 1. The key is in x21 too.
const key = await vcpu.get('x20')
print('the key:', hex(key))
answer('key', key)

// 2. The guest has looked into one page of sixteen. A page that it touched is its own.
let digit = -1
for (let i = 0; i < 16; i++) {
  const word = await attempt(ram.read32(TABLE + BigInt(i) * 4096n))
  if (!word.ok) digit = i
}
print('the last digit of the key:', digit)
answer('digit', digit)

// 3. The guest is about to test w23.
await vcpu.set('x23', 0)
const second = await vcpu.run()
const door = second.reason === 'mmio' && second.address === DOORBELL + 16n ? 'open' : 'locked'
print('the door is', door)

// 4. The guest can call the hypervisor. The host can tell it when, and what to say.
await vcpu.set('x0', 0xc6000003n) // MEM_SHARE
await vcpu.set('x1', VAULT)
await vcpu.set('x2', 0)
await vcpu.set('x3', 0)
await vcpu.set('pc', program.symbol('call') - 4n) // the store that rang is completed first: 4 bytes on
print('after the third run:', await vcpu.run())
const diary = await attempt(ram.readText(VAULT + 0x100n))
print('the diary:', diary.ok ? diary.value : diary.error.code)
answer('diary', diary.ok ? diary.value : diary.error.code)

// 5. Who else could read memory here?
for (const what of ['/sys/bus/pci/devices', '/sys/bus/virtio/devices', '/sys/class/iommu']) {
  const names = await attempt(proc.list(what))
  print(what, names.ok ? names.value : names.error.code)
}
await vm.close()
