package cli

// BadgesCmd holds what is done with badges.
type BadgesCmd struct {
	Import     BadgesImportCmd     `cmd:"" help:"Load a list of dispatched badges: who wears which badge, and from when to when."`
	Sheet      BadgesSheetCmd      `cmd:"" help:"Print issue sheets of a period as PDF, one for each department. The print is entered as a recipient before the first name is read."`
	Labels     BadgesLabelsCmd     `cmd:"" help:"Print labels with names and barcodes, likewise."`
	Issue      BadgesIssueCmd      `cmd:"" help:"Hand out the badges that are ordered."`
	Return     BadgesReturnCmd     `cmd:"" help:"Take badges back by their barcodes."`
	Unreturned BadgesUnreturnedCmd `cmd:"" help:"Who has not returned their badges. The names are entered in the ledger."`
	Send       BadgesSendCmd       `cmd:"" help:"Send the badges that are returned to the laboratory."`
}
