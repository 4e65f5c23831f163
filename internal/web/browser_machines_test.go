package web

import "testing"

func TestMachinesByKeyboard(t *testing.T) {
	walks(t, "co-ordinator", func(w *walker) {
		w.open("/machines")
		w.look("machines", "412 of 900")
		w.open("/machines/new")
		w.enter(send)
		w.look("machine-errors", "Select what it does")
		w.write("name", "Reporting tool")
		w.write("people", "500")
		w.write("key", machineKey)
		w.choose(`[name=work][value=doses]`, `[name=organisation]`)
		w.enter(send)
		w.look("machine-check", "Reads doses")
		w.enter(`button[value=propose]`)
		w.look("machine-proposed", "Leave for Reporting tool is proposed")
		w.open("/machines")
		w.enter(`a[href$="/end"]`)
		w.look("machine-end", "End the leave of")
		w.enter(send)
		w.look("machines-ended", "Its leave has ended")
	})
}
