//! Which servers of a plan those of an input are.

use quoteclock_model::ServerIndex;

/// For each server that the input has named, its position in the plan, if it is there.
///
/// ```
/// use quoteclock_model::ServerIndex;
/// use quoteclock_obligation::PlanServers;
/// let servers = PlanServers::new(&[Some(3), None]);
/// assert_eq!(servers.position(ServerIndex(0)), Some(3));
/// assert_eq!(servers.named(2), None);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PlanServers<'a>(&'a [Option<u32>]);

impl<'a> PlanServers<'a> {
    /// None at all, for events that name no server.
    pub const NONE: PlanServers<'static> = PlanServers(&[]);

    /// Those at these positions, in the order in which they were named.
    pub const fn new(positions: &'a [Option<u32>]) -> PlanServers<'a> {
        PlanServers(positions)
    }

    /// How many have been named.
    pub const fn count(self) -> usize {
        self.0.len()
    }

    /// The position of a server in the plan.
    ///
    /// # Panics
    /// If it has not been named.
    #[inline(always)]
    pub fn position(self, server: ServerIndex) -> Option<usize> {
        self.0[server.index()].map(|position| position as usize)
    }

    /// The server with this index, if it has been named.
    #[inline(always)]
    pub fn named(self, index: u64) -> Option<ServerIndex> {
        u32::try_from(index).ok().filter(|&index| (index as usize) < self.0.len()).map(ServerIndex)
    }
}
