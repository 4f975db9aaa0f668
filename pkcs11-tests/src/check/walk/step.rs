//! What can be done next, and which of it how often.

use rand::RngExt;
use rand::rngs::StdRng;

use super::super::both::PAIRS;
use super::super::operation::Purpose;
use super::model::Model;

/// A step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// `C_Initialize`
    Initialize,
    /// `C_Finalize`
    Finalize,
    /// `C_OpenSession`
    Open {
        /// Read-write.
        write: bool,
    },
    /// `C_CloseSession`
    Close(Who),
    /// `C_CloseAllSessions`
    CloseAll,
    /// `C_GetSessionInfo`
    Info(Who),
    /// `C_Login`
    Login {
        /// In this session.
        who: Who,
        /// As the SO.
        so: bool,
        /// With the right PIN.
        right: bool,
    },
    /// `C_Logout`
    Logout(Who),
    /// An Init function.
    Init(Who, Purpose),
    /// A one-shot function on so many blocks.
    Whole(Who, Purpose, Room, usize),
    /// An Update function on so many blocks.
    Update(Who, Purpose, usize),
    /// A Final function.
    Final(Who, Purpose, Room),
    /// An Update function with NULL and a length.
    Bad(Who, Purpose),
    /// An Update function of two operations, a pair by its place, on so many blocks.
    Both(Who, usize, usize),
    /// `C_SessionCancel`
    Cancel(Who, Purpose),
    /// An Init function with a NULL mechanism.
    CancelByNull(Who, Purpose),
    /// `C_CreateObject`
    Create {
        /// In this session.
        who: Who,
        /// `CKA_PRIVATE`
        private: bool,
    },
    /// `C_GetObjectSize` of an object that is or was, by its place among all that were made.
    Size(Who, usize),
    /// `C_DestroyObject`
    Destroy(Who, usize),
}

/// Which session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Who {
    /// An open one, by its place.
    Open(usize),
    /// One that has been closed, or 0.
    Closed,
}

/// How much room a call has for its result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Room {
    /// NULL: how much is needed? Of a verification, a wrong signature.
    Query,
    /// A byte. Of a verification, a signature of a byte.
    Short,
    /// What is needed. Of a verification, the right signature where it is known.
    Enough,
}

/// How often which kind of step is taken, in a hundred.
#[derive(Clone, Copy)]
pub struct Mix {
    library: u32,
    sessions: u32,
    logins: u32,
    objects: u32,
}

impl Mix {
    /// Mostly sessions and logins.
    pub const SESSIONS: Self = Self { library: 2, sessions: 40, logins: 35, objects: 15 };
    /// Mostly operations; a login stays for long.
    pub const OPERATIONS: Self = Self { library: 0, sessions: 3, logins: 2, objects: 1 };
    /// Something of everything.
    pub const EVERYTHING: Self = Self { library: 1, sessions: 10, logins: 8, objects: 10 };
}

const PURPOSES: [Purpose; 8] = [
    Purpose::Encrypt,
    Purpose::Decrypt,
    Purpose::Digest,
    Purpose::Sign,
    Purpose::Verify,
    Purpose::SignRecover,
    Purpose::VerifyRecover,
    Purpose::Find,
];
const ROOMS: [Room; 4] = [Room::Query, Room::Short, Room::Enough, Room::Enough];
/// More sessions than these are not opened.
const SESSIONS: usize = 6;

impl Step {
    /// The kind of step, without the numbers.
    pub fn kind(&self) -> String {
        let text = format!("{self:?}");
        text.chars().filter(|letter| !letter.is_ascii_digit()).collect()
    }
}

impl Model {
    /// The next step.
    pub fn choose(&self, mix: Mix, random: &mut StdRng) -> Step {
        let who = self.any_session(random);
        if !self.is_initialised() && random.random_ratio(1, 2) {
            return Step::Initialize;
        }
        if self.sessions() == 0 && random.random_ratio(1, 2) {
            return Step::Open { write: random.random_ratio(2, 3) };
        }
        let Mix { library, sessions, logins, objects } = mix;
        let number = random.random_range(0..100);
        if number < library {
            return if random.random_ratio(1, 2) { Step::Finalize } else { Step::Initialize };
        }
        if number < library + sessions {
            return self.about_sessions(who, random);
        }
        // Without a login little goes on.
        let eager = if self.is_user() { 0 } else { 20 };
        if number < library + sessions + logins + eager {
            return self.about_login(who, eager > 0, random);
        }
        if number < library + sessions + logins + eager + objects {
            let object = random.random_range(0..8);
            return match random.random_range(0..4) {
                0 => Step::Destroy(who, object),
                1 => Step::Size(who, object),
                _ => Step::Create { who, private: random.random_ratio(1, 2) },
            };
        }
        self.about_operations(who, random)
    }

    fn any_session(&self, random: &mut StdRng) -> Who {
        if self.sessions() == 0 || random.random_ratio(1, 30) {
            return Who::Closed;
        }
        Who::Open(random.random_range(0..self.sessions()))
    }

    fn about_sessions(&self, who: Who, random: &mut StdRng) -> Step {
        match random.random_range(0..20) {
            0 => Step::CloseAll,
            1..7 if self.sessions() < SESSIONS => Step::Open { write: random.random_ratio(2, 3) },
            7..11 => Step::Close(who),
            _ => Step::Info(who),
        }
    }

    fn about_login(&self, who: Who, eager: bool, random: &mut StdRng) -> Step {
        let right = random.random_ratio(4, 5);
        match random.random_range(0..10) {
            0..3 if !eager => Step::Logout(who),
            0 => Step::Logout(who),
            1 | 2 => Step::Login { who, so: true, right },
            _ => Step::Login { who, so: false, right },
        }
    }

    fn about_operations(&self, who: Who, random: &mut StdRng) -> Step {
        let purpose = PURPOSES.get(random.random_range(0..PURPOSES.len())).copied().unwrap_or(Purpose::Find);
        if purpose.is_in_one_part() && !self.can.recover {
            return self.about_operations(who, random);
        }
        let room = ROOMS.get(random.random_range(0..ROOMS.len())).copied().unwrap_or(Room::Enough);
        let blocks = random.random_range(0..4);
        match random.random_range(0..20) {
            0..7 => Step::Init(who, purpose),
            11..13 if self.can.both => Step::Both(who, random.random_range(0..PAIRS.len()), blocks),
            19 if self.can.cancel && random.random_ratio(1, 2) => Step::Cancel(who, purpose),
            _ if purpose.is_in_one_part() => Step::Whole(who, purpose, room, blocks),
            // Whether a one-shot function may end what an Update went on with has a check of its own.
            7..11 if !self.is_in_parts(who, purpose) => Step::Whole(who, purpose, room, blocks),
            15..18 => Step::Final(who, purpose, room),
            18 if purpose != Purpose::Find => Step::Bad(who, purpose),
            19 if self.can.cancel && purpose != Purpose::Find => Step::CancelByNull(who, purpose),
            _ => Step::Update(who, purpose, blocks),
        }
    }
}
