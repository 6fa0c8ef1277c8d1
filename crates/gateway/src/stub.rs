//! Placeholder while the codec is being written.
pub(crate) mod stream { use omniroute_domain::StreamEvent; use bytes::BytesMut;
 pub(crate) struct Decoder; impl Decoder { pub(crate) fn new()->Self{Self} pub(crate) fn push(&mut self,_d:&[u8])->Vec<StreamEvent>{vec![]} pub(crate) fn finish(&mut self)->Vec<StreamEvent>{vec![]} }
 pub(crate) struct EncoderOptions { pub(crate) id:String, pub(crate) model:String, pub(crate) created:u64, pub(crate) include_usage: bool }
 pub(crate) struct Encoder; impl Encoder { pub(crate) fn new(o:EncoderOptions)->Self{let _=(o.id,o.model,o.created,o.include_usage); Self} pub(crate) fn push(&mut self,_:&StreamEvent,_:&mut BytesMut){} pub(crate) fn finish(&mut self,_:&mut BytesMut){} } }
pub(crate) mod fold { use omniroute_domain::*; pub(crate) fn fold(_:impl IntoIterator<Item=StreamEvent>)->Result<ChatResponse,Fault>{Err(Fault::new(FaultKind::Internal,"x","x"))} }
pub(crate) mod unfold { use omniroute_domain::*; pub(crate) fn events(_:&ChatResponse)->Vec<StreamEvent>{vec![]} }
pub(crate) mod reply { use omniroute_domain::*; pub(crate) fn decode(_:&[u8])->Result<ChatResponse,String>{Err(String::new())} pub(crate) fn encode(_:&ChatResponse)->(Vec<u8>,Vec<Loss>){(vec![],vec![])} }
