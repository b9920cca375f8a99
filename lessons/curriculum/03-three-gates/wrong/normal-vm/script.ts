import { answer, attempt, host, kvm, print } from 'lab'

const before = await host.taint()

const dev = await kvm.open()
const first = await attempt(dev.createVm()) // <- ask for protected VMs, here ...
const second = await attempt(dev.createVm()) // <- ... and here

const after = await host.taint()

answer('result', first.ok ? 'made' : first.error.code)
answer('before', before.value)
answer('after', after.value)

print('the first: ', first.ok ? 'made' : first.error.code)
print('the second:', second.ok ? 'made' : second.error.code)
print('taint:', before.value, 'before,', after.value, 'after', after.names)

await first.value?.close()
await second.value?.close()
