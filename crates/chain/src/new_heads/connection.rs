//! One connection with one subscription: dialled, taken, and listened to until its first fault.

use std::pin::pin;

use hyper::header::HeaderValue;
use soketto::connection::Error;
use soketto::handshake::client::Header;
use soketto::handshake::{Client, ServerResponse};
use soketto::{Data, Incoming, Receiver, Sender};
use tokio::time::timeout;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

use super::metered::{LimitMet, Metered};
use super::{HEAD_MESSAGE_BYTES_MAX, NewHeads, SILENCE_BEFORE_PING, SUBSCRIBE_TIME_MAX, SubscriptionFault, message};
use crate::transport::dial::{DialFault, Link, tls_words};
use crate::transport::http::excerpt;

/// How many notifications may come before the answer that names the subscription: a node may tell of a head meanwhile.
const EARLY_NOTIFICATIONS_MAX: u32 = 16;

/// What is asked of a node that says nothing.
const PING: &[u8] = b"head?";

/// A connection that tells of new heads. Dropping it ends it.
pub(crate) struct Connection {
    sender: Sender<Compat<Metered>>,
    receiver: Receiver<Compat<Metered>>,
    subscription: String,
    limit_met: LimitMet,
}

/// What came.
enum Message {
    Text,
    /// An answer to our ping.
    Pong,
}

impl Connection {
    /// Connects and subscribes, within [`SUBSCRIBE_TIME_MAX`].
    pub(crate) async fn open(new_heads: &NewHeads) -> Result<Self, SubscriptionFault> {
        let opening = async {
            let link = new_heads.dialer.dial().await.map_err(unreachable)?;
            Self::over(link, &host(new_heads), &resource(new_heads), new_heads.authorization.as_ref()).await
        };
        timeout(SUBSCRIBE_TIME_MAX, opening).await.unwrap_or(Err(SubscriptionFault::TooSlow))
    }

    /// Subscribes over a link. The caller bounds the time.
    pub(super) async fn over(
        link: Box<dyn Link>,
        host: &str,
        resource: &str,
        authorization: Option<&HeaderValue>,
    ) -> Result<Self, SubscriptionFault> {
        let limit_met = LimitMet::default();
        let metered = Metered::new(link, limit_met.clone());
        let shown = authorization.map(|token| [Header { name: "Authorization", value: token.as_bytes() }]);
        let mut client = Client::new(metered.compat(), host, resource);
        if let Some(headers) = &shown {
            let _ = client.set_headers(headers);
        }
        let subscribed = Self::subscribe(client, &limit_met).await;
        subscribed.map_err(|fault| limit_met.or(fault))
    }

    async fn subscribe(
        mut client: Client<'_, Compat<Metered>>,
        limit_met: &LimitMet,
    ) -> Result<Self, SubscriptionFault> {
        match client.handshake().await.map_err(handshake_fault)? {
            ServerResponse::Accepted { .. } => {}
            ServerResponse::Redirect { status_code, .. } => return Err(turned_away(status_code)),
            ServerResponse::Rejected { status_code } => return Err(turned_away(status_code)),
        }
        let mut builder = client.into_builder();
        builder.set_max_message_size(HEAD_MESSAGE_BYTES_MAX);
        builder.set_max_frame_size(HEAD_MESSAGE_BYTES_MAX);
        let (mut sender, mut receiver) = builder.finish();
        sender.send_text(message::request()).await.map_err(fault)?;
        sender.flush().await.map_err(fault)?;
        let mut text = Vec::new();
        for _ in 0..=EARLY_NOTIFICATIONS_MAX {
            text.clear();
            if let Message::Text = receive(&mut receiver, &mut text).await?
                && let Some(subscription) = message::subscription(&text)?
            {
                return Ok(Self { sender, receiver, subscription, limit_met: limit_met.clone() });
            }
        }
        Err(message::garbage(&text))
    }

    /// Tells of each head, until the connection's first fault, which is the answer.
    pub(crate) async fn listen(mut self, tell: impl FnMut(u64)) -> SubscriptionFault {
        let fault = self.hear(tell).await;
        self.limit_met.or(fault)
    }

    async fn hear(&mut self, mut tell: impl FnMut(u64)) -> SubscriptionFault {
        let mut text = Vec::new();
        loop {
            text.clear();
            match self.next(&mut text).await {
                Ok(Message::Pong) => {}
                Ok(Message::Text) => match message::head(&text, &self.subscription) {
                    Ok(number) => tell(number),
                    Err(fault) => return fault,
                },
                Err(fault) => return fault,
            }
        }
    }

    /// The next message. A silence is broken by a ping; after another the node is given up, whatever it keeps sending that is no
    /// message.
    async fn next(&mut self, text: &mut Vec<u8>) -> Result<Message, SubscriptionFault> {
        let Self { sender, receiver, .. } = self;
        // One future for both waits: what was read of a message is in it.
        let mut receiving = pin!(receive(receiver, text));
        if let Ok(received) = timeout(SILENCE_BEFORE_PING, &mut receiving).await {
            return received;
        }
        let ping = async {
            let ping = PING.try_into().map_err(|_| SubscriptionFault::Silent)?;
            sender.send_ping(ping).await.map_err(fault)?;
            sender.flush().await.map_err(fault)?;
            receiving.await
        };
        timeout(SILENCE_BEFORE_PING, ping).await.unwrap_or(Err(SubscriptionFault::Silent))
    }
}

async fn receive(receiver: &mut Receiver<Compat<Metered>>, text: &mut Vec<u8>) -> Result<Message, SubscriptionFault> {
    match receiver.receive(text).await.map_err(fault)? {
        Incoming::Data(Data::Text(_)) => Ok(Message::Text),
        Incoming::Data(Data::Binary(_)) => Err(message::garbage(b"a binary message")),
        Incoming::Pong(_) => Ok(Message::Pong),
        Incoming::Closed(reason) => {
            let words = reason.descr.as_deref().map(excerpt).filter(|words| !words.is_empty());
            let words = words.map_or_else(String::new, |words| format!(": {words}"));
            Err(SubscriptionFault::Ended(format!("the node closed it with code {}{words}", reason.code)))
        }
    }
}

fn unreachable(fault: DialFault) -> SubscriptionFault {
    SubscriptionFault::Unreachable(match fault {
        DialFault::Unreachable(error) => error.to_string(),
        fault @ (DialFault::TooSlow | DialFault::Tls(_)) => fault.to_string(),
    })
}

/// A node that does not take our certificate says so when the connection stands already.
fn broken(error: &std::io::Error) -> SubscriptionFault {
    SubscriptionFault::Ended(tls_words(error).unwrap_or_else(|| error.to_string()))
}

/// The `Host` header: with the port where it is not the scheme's.
fn host(new_heads: &NewHeads) -> String {
    let host = new_heads.url.host_str().unwrap_or_default();
    new_heads.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn resource(new_heads: &NewHeads) -> String {
    let path = new_heads.url.path();
    new_heads.url.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

fn turned_away(status: u16) -> SubscriptionFault {
    SubscriptionFault::Handshake(format!("HTTP status {status}"))
}

fn handshake_fault(error: soketto::handshake::Error) -> SubscriptionFault {
    match error {
        soketto::handshake::Error::Io(error) => broken(&error),
        error => SubscriptionFault::Handshake(excerpt(&error.to_string())),
    }
}

fn fault(error: Error) -> SubscriptionFault {
    match error {
        Error::Io(error) => broken(&error),
        Error::Closed => SubscriptionFault::Ended("it broke off".to_owned()),
        Error::MessageTooLarge { .. } | Error::Codec(soketto::base::Error::PayloadTooLarge { .. }) => {
            SubscriptionFault::Flood("a message longer than any head")
        }
        error => SubscriptionFault::Garbage(excerpt(&error.to_string())),
    }
}
