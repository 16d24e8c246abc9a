package cli

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// unfit says why this system cannot run a server: the database needs calls for memory
// that Windows 10 has since release 1803, and Windows Server since 2019.
func unfit() error {
	const least = 17134 // build of release 1803
	if v := windows.RtlGetVersion(); v.BuildNumber < least {
		return fmt.Errorf("this Windows (%d.%d, build %d) is too old: vserver needs Windows 10 release 1803, Windows Server 2019, or a later one",
			v.MajorVersion, v.MinorVersion, v.BuildNumber)
	}
	return nil
}
