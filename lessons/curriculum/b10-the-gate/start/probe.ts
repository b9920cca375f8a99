import { answer, attempt, host, kvm, print } from 'lab'

// One kernel, one command line: may a program make a normal VM here, and a protected one, and what does it cost?
const dev = await kvm.open()
print('command line:', await host.commandLine())

const normal = await attempt(dev.createVm())
answer('normal', normal.ok ? 'VM' : normal.error.code)
if (normal.ok) await normal.value.close()
const before = await host.taint()
answer('taint before', before.value)
print('normal VM:   ', normal.ok ? 'made' : normal.error.code, 'taint', before.value)

const guarded = await attempt(dev.createVm({ protected: true }))
answer('protected', guarded.ok ? 'VM' : guarded.error.code)
if (guarded.ok) await guarded.value.close()
const after = await host.taint()
answer('taint after', after.value)
print('protected VM:', guarded.ok ? 'made' : guarded.error.code, 'taint', after.value, after.names.join(' '))
